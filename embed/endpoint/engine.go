package endpoint

import (
	"context"

	"upnext/embed"
)

// Engine speaks one kind of server's language. It is safe for concurrent use and
// keeps no state between calls: gathering, retries and checks are the Client's.
type Engine interface {
	// Call embeds the inputs in one request to the server at base. An answer
	// with another status than success is a *StatusError; whatever cannot be
	// read as an answer is any other error. The vectors need not be checked.
	Call(ctx context.Context, base string, inputs []embed.Input) (Reply, error)
}

// Reply is what a server answered.
type Reply struct {
	Vectors [][]float32 // one for each input, in their order
	Tokens  int         // that the server says it has read; 0 where it says nothing
}

// Informer is an Engine whose servers tell about themselves. A server that does
// not is no failure: About may be asked and answer the zero value.
type Informer interface {
	About(ctx context.Context, base string) (About, error)
}

// About is what a server tells of itself; zero where it does not.
type About struct {
	Model    string // the name of the weights
	MaxBatch int    // inputs that it takes in one request
	MaxInput int    // tokens that it reads of an input
}
