package minio

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	sdk "github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"upnext"
)

// How long a server may keep us waiting, and how often it is asked again
// before that is an ErrUnavailable: whoever called knows better when to retry.
const (
	dialTime   = 5 * time.Second
	silence    = 60 * time.Second // without a byte in either direction while one is due
	tries      = 4                // of a request, within some two seconds
	roleTime   = 5 * time.Second  // for the cloud's own service of credentials
	idleConns  = 64               // kept open to a server
	maxKeyless = 10 * time.Second // for what has to be tidied after ctx has ended
)

// keys looks for credentials in the environment: Amazon's variables, MinIO's,
// then the role that the machine, the container or the service account has.
// They are looked up again when they expire.
func keys() *credentials.Credentials {
	roles := &http.Client{Timeout: roleTime}
	return credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{}, &credentials.EnvMinio{}, &credentials.IAM{Client: roles},
	})
}

// newClient makes a client for a server; it does not call it.
func newClient(endpoint *url.URL, a Address, creds *credentials.Credentials, transport http.RoundTripper) (*sdk.Core, error) {
	lookup := sdk.BucketLookupPath
	if a.Amazon {
		lookup = sdk.BucketLookupAuto
	}
	client, err := sdk.NewCore(endpoint.Host, &sdk.Options{
		Creds: creds, Secure: endpoint.Scheme == "https", Transport: transport, Region: a.Region, BucketLookup: lookup, MaxRetries: tries,
	})
	if err != nil {
		return nil, fmt.Errorf("endpoint %s: %v: %w", endpoint, err, upnext.ErrInvalid)
	}
	return client, nil
}

// newTransport returns connections that end when the other side has been
// silent for too long, whatever it was at.
func newTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: dialTime, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return impatient{c}, nil
		},
		MaxIdleConns: 4 * idleConns, MaxIdleConnsPerHost: idleConns, IdleConnTimeout: silence / 2,
		TLSHandshakeTimeout: 2 * dialTime, ResponseHeaderTimeout: silence, ExpectContinueTimeout: time.Second,
		TLSClientConfig:    &tls.Config{MinVersion: tls.VersionTLS12},
		DisableCompression: true, // objects come as they are
	}
}

// impatient is a connection whose reads and writes fail once nothing has moved
// for a while. Both share one deadline: an answer is not late while its
// request is still being sent.
type impatient struct{ net.Conn }

func (c impatient) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c impatient) Write(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(silence)); err != nil {
		return 0, err
	}
	return c.Conn.Write(p)
}
