// The JWT auth method of Vault, its own code in a process of its own: configured, given a role and shown a token, all from
// one JSON document on standard input. Prints what a login gets, or ends with 1 and says why there is none.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	jwtauth "github.com/hashicorp/vault-plugin-auth-jwt"
	"github.com/hashicorp/vault/sdk/logical"
)

// Request is what an operator of Vault writes to auth/jwt/config and auth/jwt/role/ROLE, and what a client logs in with.
type Request struct {
	Config map[string]any `json:"config"`
	Role   map[string]any `json:"role"`
	JWT    string         `json:"jwt"`
}

// Login is what the client gets: the token's policies, alias and metadata.
type Login struct {
	Policies []string          `json:"policies"`
	Alias    string            `json:"alias"`
	Metadata map[string]string `json:"metadata"`
}

const roleName = "meal-planner"

type method struct {
	backend logical.Backend
	storage logical.Storage
}

func newMethod(ctx context.Context) (method, error) {
	storage := &logical.InmemStorage{}
	backend, err := jwtauth.Factory(ctx, &logical.BackendConfig{
		Logger:      hclog.NewNullLogger(),
		System:      &logical.StaticSystemView{DefaultLeaseTTLVal: time.Hour, MaxLeaseTTLVal: time.Hour},
		StorageView: storage,
	})
	return method{backend, storage}, err
}

func (m method) do(ctx context.Context, operation logical.Operation, path string, data map[string]any) (*logical.Response, error) {
	answer, err := m.backend.HandleRequest(ctx, &logical.Request{Operation: operation, Path: path, Storage: m.storage, Data: data,
		Connection: &logical.Connection{}})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if answer != nil && answer.IsError() {
		return nil, fmt.Errorf("%s: %w", path, answer.Error())
	}
	return answer, nil
}

func login(ctx context.Context, request Request) (Login, error) {
	vault, err := newMethod(ctx)
	if err != nil {
		return Login{}, err
	}
	if _, err := vault.do(ctx, logical.UpdateOperation, "config", request.Config); err != nil {
		return Login{}, err
	}
	if _, err := vault.do(ctx, logical.CreateOperation, "role/"+roleName, request.Role); err != nil {
		return Login{}, err
	}
	answer, err := vault.do(ctx, logical.UpdateOperation, "login", map[string]any{"role": roleName, "jwt": request.JWT})
	if err != nil {
		return Login{}, err
	}
	if answer == nil || answer.Auth == nil {
		return Login{}, errors.New("login: there is no answer")
	}
	return Login{answer.Auth.Policies, answer.Auth.Alias.Name, answer.Auth.Metadata}, nil
}

func run() error {
	var request Request
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	found, err := login(ctx, request)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vault_jwt:", err)
		os.Exit(1)
	}
}
