// Package endpoint is the client that all embedding servers share. What differs
// between them, the form of one request, is an Engine; around it are what every
// one of them needs: concurrent calls gathered into batches, a bounded number of
// batches in flight, several servers with a circuit breaker each, retries under a
// budget, and the one bad input of a batch found and named.
package endpoint
