package flat_test

import (
	"testing"

	"upnext/index"
	"upnext/index/flat"
	"upnext/index/indextest"
)

func TestCollections(t *testing.T) {
	indextest.Test(t, func(*testing.T) index.Collections { return flat.New() })
}
