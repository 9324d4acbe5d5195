package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	request := func(condition string) string {
		text, err := json.Marshal(map[string]any{"assertion": json.RawMessage(claims), "condition": condition})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for name, test := range map[string]struct {
		input  string
		code   int
		output string
		errors string
	}{
		"accepted":            {request("assertion.secboot"), accepted, `"accepted": true`, ""},
		"without a condition": {request(""), accepted, `"conditions": []`, ""},
		"refused":             {request("!assertion.secboot"), refused, `"accepted": false`, ""},
		"signs stay signs":    {request("size(assertion.submods) < 9 && assertion.oemid > 1"), accepted, "assertion.oemid > 1", ""},
		"condition":           {request("1 +"), wrongUse, "", "cs-conditions: condition: ERROR"},
		"no JSON":             {"{", wrongUse, "", "cs-conditions: the request on standard input: unexpected EOF"},
		"unknown member":      {`{"assertions": {}}`, wrongUse, "", `unknown field "assertions"`},
		"something behind it": {request("true") + "{}", wrongUse, "", "something follows the JSON document"},
		"too long":            {strings.Repeat(" ", maxRequestBytes) + "{}", wrongUse, "", "it is longer than 4194304 bytes"},
		"too deep":            {`{"assertion": {"a": ` + strings.Repeat("[", 100000), wrongUse, "", "exceeded max depth"},
	} {
		var output, errorOutput bytes.Buffer
		code := run(strings.NewReader(test.input), &output, &errorOutput)
		if code != test.code || !strings.Contains(output.String(), test.output) || !strings.Contains(errorOutput.String(), test.errors) {
			t.Errorf("%s: %d\n%s\n%s", name, code, output.String(), errorOutput.String())
		}
		if (code == wrongUse) != (output.Len() == 0) || (code == wrongUse) != (errorOutput.Len() > 0) {
			t.Errorf("%s: %q and %q", name, output.String(), errorOutput.String())
		}
	}
}
