package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imgexportfs/xcat"
)

// certificates are files with a server's certificate, for 127.0.0.1 and no
// other name, its key, the CA that has signed it, and a CA that has not.
type certificates struct{ server, key, ca, otherCA string }

func makeCertificates(t *testing.T) certificates {
	t.Helper()
	dir := t.TempDir()
	c := certificates{
		server: filepath.Join(dir, "server.pem"), key: filepath.Join(dir, "server-key.pem"),
		ca: filepath.Join(dir, "ca.pem"), otherCA: filepath.Join(dir, "other-ca.pem"),
	}
	authority := func(name, file string) (*x509.Certificate, *ecdsa.PrivateKey) {
		template := certificateOf(name)
		template.IsCA, template.KeyUsage = true, x509.KeyUsageCertSign
		key := newKey(t)
		writeCertificate(t, file, template, template, key, key)
		return template, key
	}
	authority("other CA", c.otherCA)
	ca, caKey := authority("CA", c.ca)
	template, key := certificateOf("database"), newKey(t)
	template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	writeCertificate(t, c.server, template, ca, key, caKey)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	must(t, os.WriteFile(c.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return c
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	return key
}

func certificateOf(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), BasicConstraintsValid: true,
	}
}

func writeCertificate(t *testing.T, file string, template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	must(t, err)
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}

// TLS is used where it is asked for, and a server is refused whose certificate
// is not what was asked for.
func testDBTLS(t *testing.T, s dbServer, c certificates) {
	d := newDBSite(t, s, "tls")
	encrypt, any, verify := "mysql_ssl=1", "mysql_ssl=1;mysql_ssl_ca_file=%s", "mysql_ssl=1;mysql_ssl_ca_file=%s;mysql_ssl_verify_server_cert=1"
	if s.name() == "PostgreSQL" {
		encrypt, any, verify = "sslmode=require", "sslmode=verify-ca;sslrootcert=%s", "sslmode=verify-full;sslrootcert=%s"
	}
	tests := []struct{ name, params, host, says string }{
		{"encrypted", encrypt, "127.0.0.1", ""},
		{"signed", fmt.Sprintf(any, c.ca), "127.0.0.1", ""},
		{"signed, another name", fmt.Sprintf(any, c.ca), "localhost", ""},
		{"signed by another", fmt.Sprintf(any, c.otherCA), "127.0.0.1", "certificate"},
		{"signed and named", fmt.Sprintf(verify, c.ca), "127.0.0.1", ""},
		{"named otherwise", fmt.Sprintf(verify, c.ca), "localhost", "certificate"},
		{"named, signed by another", fmt.Sprintf(verify, c.otherCA), "127.0.0.1", "certificate"},
		{"no such CA", fmt.Sprintf(verify, "/nonexistent.pem"), "127.0.0.1", "/nonexistent.pem"},
	}
	s.requireTLS(t, true)
	defer s.requireTLS(t, false)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfgloc := strings.Replace(s.cfgloc(d.database), "host=127.0.0.1", "host="+test.host+";"+test.params, 1)
			site, err := xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: cfgloc})
			if test.says != "" {
				expectError(t, err, test.says)
				return
			}
			must(t, err)
			must(t, site.Close())
		})
	}
	plain := s.cfgloc(d.database)
	if s.name() == "PostgreSQL" {
		plain = strings.Replace(plain, "host=", "sslmode=disable;host=", 1)
	}
	_, err := xcat.OpenSite(t.Context(), xcat.Config{Root: d.root, Cfgloc: plain})
	expectError(t, err, readerName)
}
