package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strconv"
	"strings"

	attestpb "github.com/google/go-tpm-tools/proto/attest"
	tpmpb "github.com/google/go-tpm-tools/proto/tpm"
	"github.com/google/go-tpm-tools/server"
)

const launchRegister = 13

// Evidence is what an attester sends (REST API, VerifyConfidentialSpaceRequest.tpmAttestation), the nonce that it was to
// be bound to, and the PEM certificate of the authority that certifies attestation keys.
type Evidence struct {
	Attestation TpmAttestation `json:"tpmAttestation"`
	Nonce       []byte         `json:"nonce"`
	Root        string         `json:"root"`
}

// TpmAttestation is the message of the REST API.
type TpmAttestation struct {
	Quotes            []Quote  `json:"quotes"`
	TcgEventLog       []byte   `json:"tcgEventLog"`
	CanonicalEventLog []byte   `json:"canonicalEventLog"`
	AkCert            []byte   `json:"akCert"`
	CertChain         [][]byte `json:"certChain"`
}

// part returns the bytes at a JSON pointer: whoever changes them changes the message.
func (attestation TpmAttestation) part(pointer string) ([]byte, error) {
	switch pointer {
	case "/tcgEventLog":
		return attestation.TcgEventLog, nil
	case "/canonicalEventLog":
		return attestation.CanonicalEventLog, nil
	case "/akCert":
		return attestation.AkCert, nil
	}
	words := strings.Split(pointer, "/")
	if len(words) == 3 && words[1] == "certChain" {
		index, err := strconv.Atoi(words[2])
		if err != nil || index >= len(attestation.CertChain) {
			return nil, fmt.Errorf("there is no %q", pointer)
		}
		return attestation.CertChain[index], nil
	}
	if len(words) < 4 || words[1] != "quotes" {
		return nil, fmt.Errorf("there is no %q", pointer)
	}
	index, err := strconv.Atoi(words[2])
	if err != nil || index >= len(attestation.Quotes) {
		return nil, fmt.Errorf("there is no %q", pointer)
	}
	quote := attestation.Quotes[index]
	switch {
	case words[3] == "rawQuote":
		return quote.RawQuote, nil
	case words[3] == "rawSignature":
		return quote.RawSignature, nil
	case words[3] == "pcrValues" && len(words) == 5 && quote.PcrValues[words[4]] != nil:
		return quote.PcrValues[words[4]], nil
	}
	return nil, fmt.Errorf("there is no %q", pointer)
}

// Quote is the message of the REST API.
type Quote struct {
	HashAlgo     uint32            `json:"hashAlgo"`
	PcrValues    map[string][]byte `json:"pcrValues"`
	RawQuote     []byte            `json:"rawQuote"`
	RawSignature []byte            `json:"rawSignature"`
}

// Instance is who the machine is.
type Instance struct {
	Zone          string `json:"zone"`
	ProjectID     string `json:"project_id"`
	ProjectNumber string `json:"project_number"`
	Name          string `json:"instance_name"`
	ID            string `json:"instance_id"`
}

func registers(values map[string][]byte) (map[uint32][]byte, error) {
	pcrs := map[uint32][]byte{}
	for name, value := range values {
		index, err := strconv.ParseUint(name, 10, 8)
		if err != nil {
			return nil, err
		}
		pcrs[uint32(index)] = value
	}
	return pcrs, nil
}

// appraise checks evidence as the reference's server does, and replays the launch log against the quoted register.
func appraise(evidence Evidence) (Answer, error) {
	block, _ := pem.Decode([]byte(evidence.Root))
	if block == nil {
		return Answer{}, errors.New("the root is no PEM")
	}
	root, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return Answer{}, err
	}
	attestation := &attestpb.Attestation{
		EventLog:          evidence.Attestation.TcgEventLog,
		CanonicalEventLog: evidence.Attestation.CanonicalEventLog,
		AkCert:            evidence.Attestation.AkCert,
		IntermediateCerts: evidence.Attestation.CertChain,
	}
	for _, quote := range evidence.Attestation.Quotes {
		pcrs, err := registers(quote.PcrValues)
		if err != nil {
			return Answer{}, err
		}
		attestation.Quotes = append(attestation.Quotes, &tpmpb.Quote{
			Quote: quote.RawQuote, RawSig: quote.RawSignature,
			Pcrs: &tpmpb.PCRs{Hash: tpmpb.HashAlgo(quote.HashAlgo), Pcrs: pcrs}})
	}
	state, err := server.VerifyAttestation(attestation, server.VerifyOpts{
		Nonce: evidence.Nonce, TrustedRootCerts: []*x509.Certificate{root}, Loader: server.UnsupportedLoader})
	if err != nil {
		return Answer{}, err
	}
	container, err := containerIn(evidence.Attestation, uint32(state.GetHash()))
	if err != nil {
		return Answer{}, fmt.Errorf("the launch log: %w", err)
	}
	info := state.GetPlatform().GetInstanceInfo()
	return Answer{
		Container: container,
		Boot:      &Boot{state.GetSecureBoot().GetEnabled(), state.GetPlatform().GetTechnology().String()},
		Instance: &Instance{info.GetZone(), info.GetProjectId(), strconv.FormatUint(info.GetProjectNumber(), 10),
			info.GetInstanceName(), strconv.FormatUint(info.GetInstanceId(), 10)},
	}, nil
}

// containerIn replays the launch log against the register in the quote whose bank was verified.
func containerIn(attestation TpmAttestation, bank uint32) (*Container, error) {
	for _, quote := range attestation.Quotes {
		if quote.HashAlgo == bank {
			value := quote.PcrValues[strconv.Itoa(launchRegister)]
			return containerOf(Log{attestation.CanonicalEventLog, bank, map[int][]byte{launchRegister: value}})
		}
	}
	return nil, errors.New("no quote is of the verified bank")
}
