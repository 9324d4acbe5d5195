// What the reference implementation of the public system makes of evidence, of our logs and of changed ones: its own
// packages, called as a verifier calls them. Reads a Question a line on standard input, answers with an Answer a line.
//
//	reference < QUESTIONS
//	reference attest TPM_SOCKET ecc BOOT_LOG LAUNCH_LOG NONCE     its agent's quotes of a TPM: see attest.go
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
)

const maxLine = 64 << 20

// Question has one of Evidence, LaunchLog and BootLog. With a mask it is asked for every byte in turn with these bits
// flipped: of the log, or of the part of the evidence that a JSON pointer names, such as /quotes/0/rawQuote.
type Question struct {
	Mask byte   `json:"mask,omitempty"`
	Part string `json:"part,omitempty"`
	// Evidence is appraised as a whole: quotes, keys, boot log and launch log.
	Evidence *Evidence `json:"evidence,omitempty"`
	// LaunchLog is replayed against the register that it was measured into.
	LaunchLog *Log `json:"launch_log,omitempty"`
	// BootLog is replayed against the registers of a machine.
	BootLog *Log `json:"boot_log,omitempty"`
}

// Log is a log, and the values of the registers (by their number) of one bank (its TPM_ALG_ID).
type Log struct {
	Log  []byte         `json:"log"`
	Bank uint32         `json:"bank"`
	PCRs map[int][]byte `json:"pcrs"`
}

// Answer has Error, or what was asked for.
type Answer struct {
	Error     string     `json:"error,omitempty"`
	Container *Container `json:"container,omitempty"`
	Boot      *Boot      `json:"boot,omitempty"`
	Instance  *Instance  `json:"instance,omitempty"`
	*Changes
}

// Changes is what became of the bytes that were changed.
type Changes struct {
	Refused  int       `json:"refused"`
	Accepted []Outcome `json:"accepted"`
}

// Outcome is what is made of some of the changes.
type Outcome struct {
	State json.RawMessage `json:"state"`
	Bytes []int           `json:"bytes"`
}

// answer asks the packages. They panic on some input, such as event types that they do not know: that is no state.
func answer(question Question) (found Answer, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			found, err = Answer{}, fmt.Errorf("panic: %v", cause)
		}
	}()
	switch {
	case question.Evidence != nil:
		return appraise(*question.Evidence)
	case question.LaunchLog != nil:
		container, err := containerOf(*question.LaunchLog)
		return Answer{Container: container}, err
	case question.BootLog != nil:
		boot, err := bootOf(*question.BootLog)
		return Answer{Boot: boot}, err
	}
	return Answer{}, fmt.Errorf("the question asks nothing")
}

// part returns the bytes that are to be changed.
func part(question Question) ([]byte, error) {
	switch {
	case question.Evidence != nil:
		return question.Evidence.Attestation.part(question.Part)
	case question.LaunchLog != nil:
		return question.LaunchLog.Log, nil
	case question.BootLog != nil:
		return question.BootLog.Log, nil
	}
	return nil, fmt.Errorf("the question asks nothing")
}

func ask(question Question) (Answer, error) {
	if question.Mask == 0 {
		return answer(question)
	}
	bytes, err := part(question)
	if err != nil {
		return Answer{}, err
	}
	changes := Changes{Accepted: []Outcome{}}
	places := map[string][]int{}
	for i := range bytes {
		bytes[i] ^= question.Mask
		found, err := answer(question)
		bytes[i] ^= question.Mask
		if err != nil {
			changes.Refused++
			continue
		}
		state, err := json.Marshal(found)
		if err != nil {
			return Answer{}, err
		}
		places[string(state)] = append(places[string(state)], i)
	}
	for _, state := range slices.Sorted(maps.Keys(places)) {
		changes.Accepted = append(changes.Accepted, Outcome{json.RawMessage(state), places[state]})
	}
	return Answer{Changes: &changes}, nil
}

func serve(input io.Reader, output io.Writer) error {
	lines := bufio.NewScanner(input)
	lines.Buffer(make([]byte, 0, 1<<20), maxLine)
	writer := bufio.NewWriter(output)
	for lines.Scan() {
		var question Question
		if err := json.Unmarshal(lines.Bytes(), &question); err != nil {
			return err
		}
		found, err := ask(question)
		if err != nil {
			found = Answer{Error: err.Error()}
		}
		if err := json.NewEncoder(writer).Encode(found); err != nil {
			return err
		}
		if err := writer.Flush(); err != nil {
			return err
		}
	}
	return lines.Err()
}

func main() {
	err := error(nil)
	if len(os.Args) > 1 && os.Args[1] == "attest" {
		err = attest(os.Args[2:], os.Stdout)
	} else {
		err = serve(os.Stdin, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reference:", err)
		os.Exit(1)
	}
}
