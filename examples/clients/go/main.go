// Ask the launcher for an attestation token, and print it.
//
//	client                        the default token
//	client AUDIENCE [NONCE]...    a token for one relying party, with the nonces that it chose
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"time"
)

const (
	attempts      = 5
	timeout       = 330 * time.Second // a request may wait for others for five minutes
	maxTokenBytes = 1 << 20
)

// passes are the statuses that may be others the next time.
var passes = []int{http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusServiceUnavailable}

// Options are what a token is asked for with.
type Options struct {
	Audience string   `json:"audience"`
	Type     string   `json:"token_type"`
	Nonces   []string `json:"nonces"`
}

// ask returns status and body of the answer, and after how long to ask again if need be.
func ask(launcher *http.Client, options *Options) (int, string, time.Duration, error) {
	request, err := http.NewRequest(http.MethodGet, "http://localhost/v1/token", nil)
	if options != nil {
		body, encodingError := json.Marshal(options)
		if encodingError != nil {
			return 0, "", 0, encodingError
		}
		request, err = http.NewRequest(http.MethodPost, "http://localhost/v1/token", bytes.NewReader(body))
	}
	if err != nil {
		return 0, "", 0, err
	}
	answer, err := launcher.Do(request)
	if err != nil {
		return 0, "", 0, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxTokenBytes))
	seconds, parsingError := strconv.Atoi(answer.Header.Get("Retry-After"))
	if parsingError != nil {
		seconds = 1
	}
	return answer.StatusCode, string(body), time.Duration(seconds) * time.Second, err
}

// token waits for what passes; anything else is an error with the launcher's own words.
func token(launcher *http.Client, options *Options) (string, error) {
	for attempt := 1; ; attempt++ {
		status, body, wait, err := ask(launcher, options)
		if err != nil {
			return "", err
		}
		if status == http.StatusOK {
			return body, nil
		}
		if !slices.Contains(passes, status) || attempt == attempts {
			return "", fmt.Errorf("the launcher answered %d: %s", status, bytes.TrimSpace([]byte(body)))
		}
		time.Sleep(wait)
	}
}

func main() {
	socket := cmp.Or(os.Getenv("TEE_SOCKET"), "/run/container_launcher/teeserver.sock")
	launcher := &http.Client{Timeout: timeout, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		}}}
	var options *Options
	if len(os.Args) > 1 {
		options = &Options{Audience: os.Args[1], Type: "OIDC", Nonces: os.Args[2:]}
	}
	jwt, err := token(launcher, options)
	if err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
	fmt.Println(jwt)
}
