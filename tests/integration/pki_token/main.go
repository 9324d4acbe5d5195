// Checks a PKI token with Go's standard library alone, by the steps that the public documentation of such tokens lists,
// and prints its claims:
//
//	pki_token ROOT.pem < TOKEN
package main

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// The parts of the header that decide.
type header struct {
	Algorithm    string   `json:"alg"`
	Certificates []string `json:"x5c"`
}

func certificatesOf(h header) ([]*x509.Certificate, error) {
	if h.Algorithm != "RS256" {
		return nil, fmt.Errorf("algorithm %q", h.Algorithm)
	}
	if len(h.Certificates) != 3 {
		return nil, fmt.Errorf("%d certificates", len(h.Certificates))
	}
	var chain []*x509.Certificate
	for _, text := range h.Certificates {
		der, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		chain = append(chain, certificate)
	}
	return chain, nil
}

func checkChain(chain []*x509.Certificate, root *x509.Certificate) error {
	leaf, intermediate := chain[0], chain[1]
	if leaf.SignatureAlgorithm != x509.SHA256WithRSA || leaf.PublicKeyAlgorithm != x509.RSA {
		return errors.New("the leaf is not of RSA with SHA-256")
	}
	if sha256.Sum256(chain[2].Raw) != sha256.Sum256(root.Raw) {
		return errors.New("the root is another one")
	}
	now := time.Now()
	for _, certificate := range chain {
		if now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
			return fmt.Errorf("%s is not valid now", certificate.Subject)
		}
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	between.AddCert(intermediate)
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: between, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return err
	}
	if len(chains) != 1 || len(chains[0]) != 3 {
		return errors.New("the chain is not leaf, intermediate, root")
	}
	return nil
}

func verify(token string, root *x509.Certificate) (string, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", errors.New("not three parts")
	}
	var decoded [3][]byte
	for i, part := range parts {
		bytes, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return "", err
		}
		decoded[i] = bytes
	}
	var h header
	if err := json.Unmarshal(decoded[0], &h); err != nil {
		return "", err
	}
	chain, err := certificatesOf(h)
	if err != nil {
		return "", err
	}
	if err := checkChain(chain, root); err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	key, ok := chain[0].PublicKey.(*rsa.PublicKey)
	if !ok {
		return "", errors.New("no RSA key")
	}
	return string(decoded[1]), rsa.VerifyPKCS1v15(key, crypto.SHA256, digest[:], decoded[2])
}

func run() error {
	file, err := os.ReadFile(os.Args[1])
	if err != nil {
		return err
	}
	block, _ := pem.Decode(file)
	if block == nil {
		return errors.New("the root is no PEM")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	token, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	claims, err := verify(strings.TrimSpace(string(token)), root)
	if err != nil {
		return err
	}
	fmt.Println(claims)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "pki_token:", err)
		os.Exit(1)
	}
}
