package db

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// authority is a CA.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	cert, err := x509.ParseCertificate(der)
	must(t, err)
	return authority{cert, key}
}

// file is the CA's certificate as a file.
func (a authority) file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}), 0o600))
	return path
}

// server is the certificate of a server of the name.
func (a authority) server(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	must(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// A CA in the location is there to tell the right server from another one.
func TestMySQLCertificatesAreCheckedAsFarAsIsAskedFor(t *testing.T) {
	right, wrong := newAuthority(t), newAuthority(t)
	for name, c := range map[string]struct {
		params params
		cert   tls.Certificate
		ok     bool
	}{
		"no CA":                      {params{"mysql_ssl": "1"}, wrong.server(t, "other"), true},
		"signed by the CA":           {params{"mysql_ssl": "1", "mysql_ssl_ca_file": right.file(t)}, right.server(t, "other"), true},
		"signed by another":          {params{"mysql_ssl": "1", "mysql_ssl_ca_file": right.file(t)}, wrong.server(t, "mn"), false},
		"with the name":              {params{"mysql_ssl": "1", "mysql_ssl_ca_file": right.file(t), "mysql_ssl_verify_server_cert": "1"}, right.server(t, "mn"), true},
		"with another name":          {params{"mysql_ssl": "1", "mysql_ssl_ca_file": right.file(t), "mysql_ssl_verify_server_cert": "1"}, right.server(t, "other"), false},
		"with the name, by another":  {params{"mysql_ssl": "1", "mysql_ssl_ca_file": right.file(t), "mysql_ssl_verify_server_cert": "1"}, wrong.server(t, "mn"), false},
		"with the name, by no known": {params{"mysql_ssl": "1", "mysql_ssl_verify_server_cert": "1"}, wrong.server(t, "mn"), false},
	} {
		config, _, err := mysqlTLS(c.params, "mn")
		must(t, err)
		here, there := net.Pipe()
		go func() {
			server := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{c.cert}})
			_ = server.Handshake()
			_ = there.Close()
		}()
		err = tls.Client(here, config).HandshakeContext(t.Context())
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
		_ = here.Close()
	}
}
