package main

import (
	"bytes"
	"fmt"

	"github.com/GoogleCloudPlatform/confidential-space/server/extract"
	eventlog "github.com/google/go-eventlog/extract"
	logpb "github.com/google/go-eventlog/proto/state"
	"github.com/google/go-eventlog/register"
	"github.com/google/go-eventlog/tpmeventlog"
	attestpb "github.com/google/go-tpm-tools/proto/attest"
)

// Container is what the launch log says, in the words of claims.
type Container struct {
	ImageReference string            `json:"image_reference"`
	ImageDigest    string            `json:"image_digest"`
	ImageID        string            `json:"image_id"`
	RestartPolicy  string            `json:"restart_policy"`
	Args           []string          `json:"args"`
	Env            map[string]string `json:"env"`
	CmdOverride    []string          `json:"cmd_override"`
	EnvOverride    map[string]string `json:"env_override"`
	MemoryEnabled  bool              `json:"memory_enabled"`
}

// Boot is what the boot log says.
type Boot struct {
	SecureBoot bool   `json:"secure_boot"`
	Technology string `json:"technology"`
}

func containerFrom(state *attestpb.AttestedCosState) *Container {
	container := state.GetContainer()
	return &Container{
		ImageReference: container.GetImageReference(),
		ImageDigest:    container.GetImageDigest(),
		ImageID:        container.GetImageId(),
		RestartPolicy:  container.GetRestartPolicy().String(),
		Args:           append([]string{}, container.GetArgs()...),
		Env:            container.GetEnvVars(),
		CmdOverride:    append([]string{}, container.GetOverriddenArgs()...),
		EnvOverride:    container.GetOverriddenEnvVars(),
		MemoryEnabled:  state.GetHealthMonitoring().GetMemoryEnabled(),
	}
}

// bankOf returns the registers as the reference's packages have them.
func bankOf(log Log) (register.PCRBank, error) {
	bank := register.PCRBank{TCGHashAlgo: logpb.HashAlgo(log.Bank)}
	hash, err := bank.TCGHashAlgo.CryptoHash()
	if err != nil {
		return bank, err
	}
	for index, value := range log.PCRs {
		if len(value) != hash.Size() {
			return bank, fmt.Errorf("PCR %d has %d bytes", index, len(value))
		}
		bank.PCRs = append(bank.PCRs, register.PCR{Index: index, Digest: bytes.Clone(value), DigestAlg: hash})
	}
	return bank, nil
}

// containerOf is what the reference's verifier takes for the state of a container.
func containerOf(log Log) (*Container, error) {
	bank, err := bankOf(log)
	if err != nil {
		return nil, err
	}
	state, err := extract.ParseCOSCEL(log.Log, bank, extract.Options{})
	if err != nil {
		return nil, err
	}
	return containerFrom(state), nil
}

// bootOf is what the reference's log parser takes for the state of the firmware.
func bootOf(log Log) (*Boot, error) {
	bank, err := bankOf(log)
	if err != nil {
		return nil, err
	}
	state, err := tpmeventlog.ReplayAndExtract(log.Log, bank, eventlog.Opts{Loader: eventlog.UnsupportedLoader})
	if err != nil {
		return nil, err
	}
	return &Boot{state.GetSecureBoot().GetEnabled(), state.GetPlatform().GetTechnology().String()}, nil
}
