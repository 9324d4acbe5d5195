// Decides as Google Cloud's workload identity federation does: evaluates a provider's attribute mapping and attribute
// condition on the claims of a token, with the reference implementation of their language, and says of each part of
// the condition whether it holds and what it found.
//
//	cs-conditions < REQUEST.json
//
// The request is {"assertion": CLAIMS, "mapping": {"google.subject": EXPRESSION, ...}, "condition": EXPRESSION}; the
// answer is a Decision. Ends with 0 when the token is accepted, 1 when it is not, 2 when the request makes no sense.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	accepted = 0
	refused  = 1
	wrongUse = 2

	maxRequestBytes = 4 << 20
	// For all that a request has to be evaluated.
	patience = 5 * time.Second
)

func readRequest(input io.Reader) (Request, error) {
	var request Request
	text, err := io.ReadAll(io.LimitReader(input, maxRequestBytes+1))
	if err != nil {
		return request, err
	}
	if len(text) > maxRequestBytes {
		return request, fmt.Errorf("it is longer than %d bytes", maxRequestBytes)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return request, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return request, errors.New("something follows the JSON document")
	}
	return request, nil
}

func run(input io.Reader, output, errorOutput io.Writer) int {
	request, err := readRequest(input)
	if err != nil {
		fmt.Fprintf(errorOutput, "cs-conditions: the request on standard input: %v\n", err)
		return wrongUse
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	decision, err := Decide(ctx, request)
	if err != nil {
		fmt.Fprintf(errorOutput, "cs-conditions: %v\n", err)
		return wrongUse
	}
	encoder := json.NewEncoder(output)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(decision); err != nil {
		fmt.Fprintf(errorOutput, "cs-conditions: %v\n", err)
		return wrongUse
	}
	if !decision.Accepted {
		return refused
	}
	return accepted
}

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintf(os.Stderr, "cs-conditions: it takes no argument such as %q, but a request on standard input\n", os.Args[1])
		os.Exit(wrongUse)
	}
	os.Exit(run(os.Stdin, os.Stdout, os.Stderr))
}
