package minio

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/minio/minio-go/v7/pkg/s3utils"

	"upnext"
)

// Address says where objects lie. As text it is
//
//	s3://BUCKET/PREFIX?endpoint=http://HOST:9000&region=…&public=https://…&create=true&part_mb=16
//
// Without an endpoint it is Amazon's, over TLS; another one is spoken to by
// paths (HOST/BUCKET/KEY), and without TLS only where it says http://. Names
// and passwords do not belong here: what is in an address ends up in logs and
// in the records of imports.
type Address struct {
	Bucket   string
	Prefix   string   // of all keys; empty, or without a slash at either end
	Endpoint *url.URL // scheme and host
	Amazon   bool     // the endpoint is Amazon's
	Region   string   // empty: the bucket is asked
	Public   *url.URL // where browsers reach the same server; nil: nowhere, or at Amazon's endpoint
	Create   bool     // make the bucket where it is missing
	PartSize int64    // bytes of a part of a long object
	Extra    url.Values
}

const (
	amazon = "https://s3.amazonaws.com"

	defaultPartMB = 16
	minPartMB     = 5 // S3 takes no shorter parts but the last
	maxPartMB     = 1024
)

// ParseAddress reads an address. extra are parameters that the caller knows
// what to do with; any other that is not listed above is an ErrInvalid.
func ParseAddress(text string, extra ...string) (Address, error) {
	a := Address{PartSize: defaultPartMB << 20, Extra: url.Values{}}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.Fragment != "" {
		// Not even the error of the parser: it repeats the text, whatever is in it.
		return a, fmt.Errorf("object store: want s3://BUCKET/PREFIX?endpoint=http://HOST:PORT: %w", upnext.ErrInvalid)
	}
	if u.User != nil {
		return a, fmt.Errorf("object store s3://%s: a name or password in the address: put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w", u.Host, upnext.ErrInvalid)
	}
	a.Bucket = u.Host
	if err := s3utils.CheckValidBucketNameStrict(a.Bucket); err != nil && a.Bucket != anyBucket {
		return a, fmt.Errorf("object store s3://%s: %v: %w", a.Bucket, err, upnext.ErrInvalid)
	}
	if a.Prefix = strings.Trim(path.Clean("/"+u.Path), "/"); a.Prefix != "" {
		if err := checkKey(a.Prefix); err != nil {
			return a, fmt.Errorf("object store s3://%s: prefix: %w", a.Bucket, err)
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return a, fmt.Errorf("object store s3://%s: parameters: %v: %w", a.Bucket, err, upnext.ErrInvalid)
	}
	for name, values := range query {
		if err := a.set(name, values[len(values)-1], extra); err != nil {
			return a, fmt.Errorf("object store s3://%s: %s: %w", a.Bucket, name, err)
		}
	}
	if a.Endpoint == nil {
		a.Endpoint, _ = url.Parse(amazon) // a constant
		a.Amazon = true
	}
	return a, nil
}

func (a *Address) set(name, value string, extra []string) (err error) {
	switch name {
	case "endpoint":
		if a.Endpoint, err = parseEndpoint(value); err == nil {
			a.Amazon = s3utils.IsAmazonEndpoint(*a.Endpoint)
		}
	case "public":
		a.Public, err = parseEndpoint(value)
	case "region":
		a.Region = value
	case "create":
		if a.Create, err = strconv.ParseBool(value); err != nil {
			err = fmt.Errorf("%q is neither true nor false: %w", value, upnext.ErrInvalid)
		}
	case "part_mb":
		n, perr := strconv.Atoi(value)
		if perr != nil || n < minPartMB || n > maxPartMB {
			err = fmt.Errorf("%q: want %d to %d: %w", value, minPartMB, maxPartMB, upnext.ErrInvalid)
		}
		a.PartSize = int64(n) << 20
	default:
		if !slices.Contains(extra, name) {
			return fmt.Errorf("no such parameter: %w", upnext.ErrInvalid)
		}
		a.Extra.Set(name, value)
	}
	return err
}

// parseEndpoint reads http://HOST:PORT or https://HOST; a bare HOST means https.
func parseEndpoint(text string) (*url.URL, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("want http://HOST:PORT or https://HOST: %w", upnext.ErrInvalid)
	case u.User != nil:
		return nil, fmt.Errorf("a name or password in the address: %w", upnext.ErrInvalid)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("%s: want a host without a path: %w", u.Host, upnext.ErrInvalid)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// String is where the objects lie, as messages say it.
func (a Address) String() string {
	s := "s3://" + a.Bucket
	if a.Prefix != "" {
		s += "/" + a.Prefix
	}
	if a.Amazon {
		return s
	}
	return s + " at " + a.Endpoint.String()
}
