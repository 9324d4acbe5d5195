// Relying parties that other people's libraries make: each checks a token of standard input and prints its claims.
//
//	relying oidc ISSUER CA AUDIENCE     go-oidc: discovery, keys, signature, issuer, audience, times
//	relying jwt ISSUER CA AUDIENCE      golang-jwt, with the keys of the issuer's key set
//	relying pki ISSUER ROOT AUDIENCE    golang-jwt and the steps that the public documentation lists for PKI tokens
package main

import (
	"context"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/golang-jwt/jwt/v5"
)

const maxDocument = 1 << 20

func clientFor(caFile string) (*http.Client, error) {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(ca) {
		return nil, errors.New("the CA's file has no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return &http.Client{Timeout: 10 * time.Second, Transport: transport}, nil
}

func checkOIDC(token, issuer, ca, audience string) (map[string]any, error) {
	client, err := clientFor(ca)
	if err != nil {
		return nil, err
	}
	ctx := oidc.ClientContext(context.Background(), client)
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return nil, err
	}
	verified, err := provider.Verifier(&oidc.Config{ClientID: audience}).Verify(ctx, token)
	if err != nil {
		return nil, err
	}
	claims := map[string]any{}
	return claims, verified.Claims(&claims)
}

func fetch(client *http.Client, url string, into any) error {
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, answer.Status)
	}
	return json.NewDecoder(io.LimitReader(answer.Body, maxDocument)).Decode(into)
}

type jwk struct {
	KeyID    string `json:"kid"`
	Type     string `json:"kty"`
	Modulus  string `json:"n"`
	Exponent string `json:"e"`
}

func (key jwk) public() (*rsa.PublicKey, error) {
	modulus, err := base64.RawURLEncoding.DecodeString(key.Modulus)
	if err != nil {
		return nil, err
	}
	exponent, err := base64.RawURLEncoding.DecodeString(key.Exponent)
	if err != nil || key.Type != "RSA" {
		return nil, errors.New("no RSA key")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(new(big.Int).SetBytes(exponent).Int64())}, nil
}

func checkJWT(token, issuer, ca, audience string) (map[string]any, error) {
	client, err := clientFor(ca)
	if err != nil {
		return nil, err
	}
	var discovery struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := fetch(client, issuer+"/.well-known/openid-configuration", &discovery); err != nil {
		return nil, err
	}
	if discovery.Issuer != issuer {
		return nil, fmt.Errorf("the discovery document is that of %s", discovery.Issuer)
	}
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := fetch(client, discovery.Keys, &set); err != nil {
		return nil, err
	}
	key := func(token *jwt.Token) (any, error) {
		for _, key := range set.Keys {
			if key.KeyID == token.Header["kid"] {
				return key.public()
			}
		}
		return nil, errors.New("the key is not known")
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(token, claims, key, jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer),
		jwt.WithAudience(audience), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	return claims, err
}

// leafOf checks the certificates in a token's header and returns the key of the first.
func leafOf(token *jwt.Token, root *x509.Certificate) (*rsa.PublicKey, error) {
	texts, ok := token.Header["x5c"].([]any)
	if !ok || len(texts) != 3 {
		return nil, errors.New("x5c does not have three certificates")
	}
	var chain []*x509.Certificate
	for _, text := range texts {
		der, err := base64.StdEncoding.DecodeString(fmt.Sprint(text))
		if err != nil {
			return nil, err
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		if now := time.Now(); now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
			return nil, fmt.Errorf("%s is not valid now", certificate.Subject)
		}
		chain = append(chain, certificate)
	}
	if sha256.Sum256(chain[2].Raw) != sha256.Sum256(root.Raw) {
		return nil, errors.New("the root is another one")
	}
	if chain[0].SignatureAlgorithm != x509.SHA256WithRSA {
		return nil, errors.New("the leaf is not signed with RSA and SHA-256")
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	between.AddCert(chain[1])
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return nil, err
	}
	// Each by the next: the chain that was found could be a shorter one.
	if err := errors.Join(chain[0].CheckSignatureFrom(chain[1]), chain[1].CheckSignatureFrom(chain[2])); err != nil {
		return nil, err
	}
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	if !ok {
		return nil, errors.New("the leaf has no RSA key")
	}
	return key, nil
}

func checkPKI(token, issuer, rootFile, audience string) (map[string]any, error) {
	file, err := os.ReadFile(rootFile)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, errors.New("the root is no PEM")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, err
	}
	claims := jwt.MapClaims{}
	_, err = jwt.ParseWithClaims(token, claims, func(token *jwt.Token) (any, error) { return leafOf(token, root) },
		jwt.WithValidMethods([]string{"RS256"}), jwt.WithIssuer(issuer), jwt.WithAudience(audience), jwt.WithExpirationRequired())
	return claims, err
}

func run(arguments []string) (map[string]any, error) {
	input, err := io.ReadAll(io.LimitReader(os.Stdin, maxDocument))
	if err != nil {
		return nil, err
	}
	token := strings.TrimSpace(string(input))
	switch {
	case len(arguments) == 4 && arguments[0] == "oidc":
		return checkOIDC(token, arguments[1], arguments[2], arguments[3])
	case len(arguments) == 4 && arguments[0] == "jwt":
		return checkJWT(token, arguments[1], arguments[2], arguments[3])
	case len(arguments) == 4 && arguments[0] == "pki":
		return checkPKI(token, arguments[1], arguments[2], arguments[3])
	}
	return nil, errors.New("oidc ISSUER CA AUDIENCE, jwt ISSUER CA AUDIENCE or pki ISSUER ROOT AUDIENCE")
}

func main() {
	claims, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(claims)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "relying:", err)
		os.Exit(1)
	}
}
