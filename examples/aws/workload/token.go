package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	socket        = "/run/container_launcher/teeserver.sock"
	maxTokenBytes = 64 << 10
	tokenPatience = 2 * time.Minute
)

// TokenRequest is what the launcher's socket is asked: POST /v1/token.
type TokenRequest struct {
	Audience   string      `json:"audience"`
	Type       string      `json:"token_type"`
	TagOptions *TagOptions `json:"aws_principal_tag_options,omitempty"`
}

// TagOptions say which tags a token of the type AWS_PRINCIPALTAGS has: with key ids those that have signed the image,
// else its digest.
type TagOptions struct {
	AllowedPrincipalTags struct {
		SignatureKeys struct {
			KeyIDs []string `json:"key_ids,omitempty"`
		} `json:"container_image_signatures"`
	} `json:"allowed_principal_tags"`
}

// GetIdentityToken asks for a token; it is what AWS's library calls whenever it needs one.
func (request TokenRequest) GetIdentityToken() ([]byte, error) {
	body, err := json.Marshal(request)
	if err != nil {
		return nil, err
	}
	client := http.Client{Timeout: tokenPatience, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}
	answer, err := client.Post("http://localhost/v1/token", "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("no token: %w", err)
	}
	defer answer.Body.Close()
	token, err := io.ReadAll(io.LimitReader(answer.Body, maxTokenBytes))
	if err != nil {
		return nil, fmt.Errorf("no token: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("no token: %s: %s", answer.Status, token)
	}
	return token, nil
}
