package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/urfave/cli/v2"
)

// metricsFlags are the flags that have a mount serve its metrics by HTTP.
type metricsFlags struct {
	addr  string
	pprof bool
}

func (f *metricsFlags) forCommand() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "metrics-addr", Usage: "serve metrics by HTTP at `ADDR`, such as :9847 for this host only or 0.0.0.0:9847 for all", DefaultText: "off", Destination: &f.addr},
		&cli.BoolFlag{Name: "pprof", Usage: "serve profiles of the program there too, on this host only", DisableDefaultText: true, Destination: &f.pprof},
	}
}

// loopback is where metrics are served if an address names no host.
const loopback = "127.0.0.1"

// check returns an error if the flags do not go together.
func (f *metricsFlags) check() error {
	if f.addr == "" {
		if f.pprof {
			return usageError("--pprof needs --metrics-addr, such as --metrics-addr :9847")
		}
		return nil
	}
	host, _, err := net.SplitHostPort(f.address())
	if err != nil {
		return usageError("--metrics-addr %s: not HOST:PORT, :PORT or PORT", f.addr)
	}
	if ip := net.ParseIP(host); f.pprof && host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return usageError("--pprof shows the inside of the program, so it needs a --metrics-addr of this host only, such as :9847 or [::1]:9847")
	}
	return nil
}

// address is HOST:PORT. Without a host it is that of this host only.
func (f *metricsFlags) address() string {
	switch {
	case strings.HasPrefix(f.addr, ":"):
		return loopback + f.addr
	case !strings.Contains(f.addr, ":"):
		return loopback + ":" + f.addr
	}
	return f.addr
}

// metricsServer serves metrics. It is nil if none are wanted.
type metricsServer struct {
	listener net.Listener
	server   *http.Server
	mux      *http.ServeMux
	log      *slog.Logger
}

// headerLimit is how long a client may take to send what it wants.
const headerLimit = 5 * time.Second

// listen takes the address, so that a mount whose metrics cannot be served does not
// come up. Nothing is answered before serve.
func (f *metricsFlags) listen(log *slog.Logger) (*metricsServer, error) {
	if f.addr == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", f.address())
	if err != nil {
		return nil, fmt.Errorf("--metrics-addr %s: %w", f.addr, err)
	}
	mux := http.NewServeMux()
	if f.pprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return &metricsServer{listener, &http.Server{Handler: mux, ReadHeaderTimeout: headerLimit}, mux, log}, nil
}

// serve answers requests until close.
func (s *metricsServer) serve(metrics http.Handler) {
	if s == nil {
		return
	}
	s.mux.Handle("GET /metrics", metrics)
	s.log.Info("metrics are served", "url", "http://"+s.listener.Addr().String()+"/metrics")
	go func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("metrics are served no more", "error", err)
		}
	}()
}

// close gives the address back.
func (s *metricsServer) close() {
	if s != nil {
		_ = s.server.Close()
		_ = s.listener.Close() // which the server does not know before serve
	}
}
