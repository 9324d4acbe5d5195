package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"

	"github.com/google/go-tpm-tools/client"
	attestpb "github.com/google/go-tpm-tools/proto/attest"
	"github.com/google/go-tpm/tpmutil"
)

// attest has the reference's agent quote a TPM, with the attestation key that a cloud has put there, and writes what it
// would send: TPM_SOCKET ecc|rsa BOOT_LOG(file) LAUNCH_LOG(file) NONCE(base64).
func attest(arguments []string, output io.Writer) error {
	if len(arguments) != 5 {
		return errors.New("attest takes TPM_SOCKET ecc|rsa BOOT_LOG LAUNCH_LOG NONCE")
	}
	attestationKey := client.GceAttestationKeyECC
	if arguments[1] == "rsa" {
		attestationKey = client.GceAttestationKeyRSA
	}
	nonce, err := base64.StdEncoding.DecodeString(arguments[4])
	if err != nil {
		return err
	}
	bootLog, err := os.ReadFile(arguments[2])
	if err != nil {
		return err
	}
	launchLog, err := os.ReadFile(arguments[3])
	if err != nil {
		return err
	}
	tpm, err := tpmutil.OpenTPM(arguments[0])
	if err != nil {
		return err
	}
	defer tpm.Close()
	key, err := attestationKey(tpm)
	if err != nil {
		return err
	}
	defer key.Close()
	evidence, err := key.Attest(client.AttestOpts{Nonce: nonce, TCGEventLog: bootLog, CanonicalEventLog: launchLog,
		SkipTeeAttestation: true})
	if err != nil {
		return err
	}
	return json.NewEncoder(output).Encode(messageOf(evidence))
}

// messageOf is the message of the REST API that carries evidence.
func messageOf(evidence *attestpb.Attestation) TpmAttestation {
	message := TpmAttestation{TcgEventLog: evidence.GetEventLog(), CanonicalEventLog: evidence.GetCanonicalEventLog(),
		AkCert: evidence.GetAkCert(), CertChain: evidence.GetIntermediateCerts()}
	for _, quote := range evidence.GetQuotes() {
		values := map[string][]byte{}
		for index, value := range quote.GetPcrs().GetPcrs() {
			values[strconv.FormatUint(uint64(index), 10)] = value
		}
		message.Quotes = append(message.Quotes, Quote{uint32(quote.GetPcrs().GetHash()), values, quote.GetQuote(), quote.GetRawSig()})
	}
	return message
}
