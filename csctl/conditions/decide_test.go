package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// What a token says, in the parts that matter here.
const claims = `{
  "sub": "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/n",
  "swname": "CONFIDENTIAL_SPACE", "swversion": ["230103"], "dbgstat": "disabled-since-boot", "hwmodel": "GCP_AMD_SEV",
  "secboot": true, "oemid": 11129, "google_service_accounts": ["sa@p.iam.gserviceaccount.com"],
  "submods": {
    "confidential_space": {"support_attributes": ["LATEST", "STABLE"], "monitoring_enabled": {"memory": true}},
    "container": {
      "image_digest": "sha256:aa", "image_id": "sha256:bb", "image_reference": "r.example/i:1", "restart_policy": "Never",
      "args": ["/run", "a"], "env": {"A": "1"}, "cmd_override": [], "env_override": {},
      "image_signatures": [{"key_id": "FP", "signature": "x", "signature_algorithm": "ECDSA_P256_SHA256"}]},
    "gce": {"zone": "us-central1-a", "project_id": "p", "project_number": "1", "instance_name": "n", "instance_id": "2"}}}`

func assertion(t *testing.T) map[string]any {
	t.Helper()
	var parsed map[string]any
	if err := json.Unmarshal([]byte(claims), &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

func decide(t *testing.T, mapping map[string]string, condition string) (Decision, error) {
	t.Helper()
	return Decide(context.Background(), Request{assertion(t), mapping, condition})
}

func TestConditionsOfThePublicDocumentation(t *testing.T) {
	for condition, holds := range map[string]bool{
		`assertion.dbgstat == "disabled-since-boot"`:                             true,
		`assertion.dbgstat == "enabled"`:                                         false,
		`"STABLE" in assertion.submods.confidential_space.support_attributes`:    true,
		`"USABLE" in assertion.submods.confidential_space.support_attributes`:    false,
		`assertion.swname == "CONFIDENTIAL_SPACE"`:                               true,
		`int(assertion.swversion[0]) == 230103`:                                  true,
		`int(assertion.swversion[0]) >= 240000`:                                  false,
		`size(assertion.submods.container.cmd_override) == 0`:                    true,
		`assertion.submods.container.cmd_override == ['program']`:                false,
		`assertion.submods.container.env == {"A":"1"}`:                           true,
		`!has(assertion.submods.container.env_override.X)`:                       true,
		`size(assertion.submods.container.env_override) == 0`:                    true,
		`assertion.submods.container.image_digest == "sha256:aa"`:                true,
		`assertion.submods.container.image_id == "sha256:bb"`:                    true,
		`assertion.submods.container.image_reference == "r.example/i:2"`:         false,
		`assertion.submods.container.restart_policy == "Never"`:                  true,
		`'sa@p.iam.gserviceaccount.com' in assertion.google_service_accounts`:    true,
		`assertion.hwmodel == "GCP_AMD_SEV"`:                                     true,
		`assertion.submods.confidential_space.monitoring_enabled.memory == true`: true,
		`assertion.submods.gce.zone == "us-central1-a"`:                          true,
		`assertion.submods.gce.project_number == "2"`:                            false,
		`assertion.secboot`:        true,
		`assertion.oemid == 11129`: true,
		`['ECDSA_P256_SHA256:FP'].exists(f, f in assertion.submods.container.image_signatures.map(sig, sig.signature_algorithm+':'+sig.key_id))`: true,
		`['ECDSA_P256_SHA256:XX'].exists(f, f in assertion.submods.container.image_signatures.map(sig, sig.signature_algorithm+':'+sig.key_id))`: false,
	} {
		decision, err := decide(t, nil, condition)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		if decision.Accepted != holds || decision.Conditions[0].Error != "" {
			t.Errorf("%s: %+v", condition, decision)
		}
	}
}

func TestEachConditionIsJudgedByItself(t *testing.T) {
	decision, err := decide(t, nil, `assertion.swname == 'GCE' && (assertion.secboot && size(assertion.submods.nvidia_gpu) > 0) && `+
		`!has(assertion.submods.container.cmd_override.x)`)
	if err != nil {
		t.Fatal(err)
	}
	wanted := []Condition{
		{Expression: `assertion.swname == "GCE"`, Found: map[string]any{"assertion.swname": "CONFIDENTIAL_SPACE"}},
		{Expression: "assertion.secboot", Holds: true, Found: map[string]any{"assertion.secboot": true}},
		{Expression: "size(assertion.submods.nvidia_gpu) > 0", Error: "no such key: nvidia_gpu",
			Found: map[string]any{"assertion.submods.nvidia_gpu": nil}},
		{Expression: "!has(assertion.submods.container.cmd_override.x)", Error: decision.Conditions[3].Error,
			Found: map[string]any{"assertion.submods.container.cmd_override.x": nil}},
	}
	if decision.Accepted || !reflect.DeepEqual(decision.Conditions, wanted) {
		t.Errorf("%+v", decision)
	}
	if decision.Conditions[3].Error == "" {
		t.Error("a member of a list was looked for, and that is no error")
	}
}

func TestWhatStandsInListsMapsAndMacrosIsFound(t *testing.T) {
	decision, err := decide(t, nil, `assertion.submods.gce.project_id in [assertion.hwmodel, "p"] || `+
		`{"a": assertion.swname}.a == "x" || ["p"].exists(project, project == assertion.submods.gce.project_id)`)
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]any{"assertion.submods.gce.project_id": "p", "assertion.hwmodel": "GCP_AMD_SEV",
		"assertion.swname": "CONFIDENTIAL_SPACE"}
	if !decision.Accepted || !reflect.DeepEqual(decision.Conditions[0].Found, wanted) {
		t.Errorf("%+v", decision)
	}
}

func TestOfALargeValueItsSizeIsShown(t *testing.T) {
	for length, wanted := range map[int]any{maxFoundBytes - 2: strings.Repeat("x", maxFoundBytes-2), maxFoundBytes - 1: "(8193 bytes of JSON)"} {
		claims := map[string]any{"sub": "s", "large": strings.Repeat("x", length)}
		decision, err := Decide(context.Background(), Request{claims, nil, strings.Repeat("assertion.large != '' && ", 100) + "true"})
		if err != nil {
			t.Fatal(err)
		}
		if !decision.Accepted || decision.Conditions[99].Found["assertion.large"] != wanted {
			t.Errorf("%d: %.60v", length, decision.Conditions[99].Found)
		}
	}
}

func TestALongConditionStaysOneLine(t *testing.T) {
	decision, err := decide(t, nil, `(!has(assertion.submods.container.cmd_override) || size(assertion.submods.container.cmd_override) == 0)`)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(decision.Conditions[0].Expression, "\n") {
		t.Errorf("%q", decision.Conditions[0].Expression)
	}
}

func TestMapping(t *testing.T) {
	decision, err := decide(t, map[string]string{
		"google.subject": `"gcpcs::" + assertion.submods.container.image_digest + "::" + assertion.submods.gce.project_number ` +
			`+ "::" + assertion.submods.gce.instance_id`,
		"google.groups":          `[assertion.hwmodel]`,
		"attribute.image_digest": `assertion.submods.container.image_digest`,
	}, `attribute.image_digest == "sha256:aa" && google.subject.endsWith("::2") && "GCP_AMD_SEV" in google.groups`)
	if err != nil {
		t.Fatal(err)
	}
	wanted := map[string]any{"google.subject": "gcpcs::sha256:aa::1::2", "google.groups": []any{"GCP_AMD_SEV"},
		"attribute.image_digest": "sha256:aa"}
	if !decision.Accepted || !reflect.DeepEqual(decision.Attributes, wanted) {
		t.Errorf("%+v", decision)
	}
}

func TestLimitsOfWhatIsMapped(t *testing.T) {
	long := func(length int) string { return `"` + strings.Repeat("x", length) + `"` }
	many := func(each, count int) map[string]string {
		mapping := map[string]string{"google.subject": `"s"`}
		for i := range count {
			mapping[fmt.Sprintf("attribute.a%d", i)] = long(each)
		}
		return mapping
	}
	for name, test := range map[string]struct {
		mapping map[string]string
		problem string
	}{
		"subject of 127 bytes":     {map[string]string{"google.subject": long(127)}, ""},
		"subject of 128 bytes":     {map[string]string{"google.subject": long(128)}, "google.subject has 128 bytes, and at most 127 are allowed"},
		"bytes count, not letters": {map[string]string{"google.subject": `"` + strings.Repeat("ä", 64) + `"`}, "google.subject has 128 bytes"},
		"empty subject":            {map[string]string{"google.subject": `""`}, "google.subject is empty"},
		"absent subject":           {map[string]string{"google.subject": "assertion.nobody"}, "mapping google.subject: no such key: nobody"},
		"number":                   {map[string]string{"google.subject": "assertion.oemid"}, "google.subject is double, not text"},
		"list":                     {map[string]string{"google.subject": "assertion.swversion"}, "google.subject is list, not text"},
		"bytes":                    {map[string]string{"google.subject": `b"x"`}, "google.subject is bytes, not text"},
		"a large whole number":     {map[string]string{"google.subject": "9223372036854775807u"}, "google.subject is uint, not text"},
		"a time":                   {map[string]string{"google.subject": `timestamp("2026-01-01T00:00:00Z")`}, "is google.protobuf.Timestamp, not text"},
		"no number":                {map[string]string{"google.subject": "0.0/0.0"}, "google.subject is double, not text"},
		"groups that are text":     {map[string]string{"google.subject": `"s"`, "google.groups": `"a"`}, "google.groups is string, not a list of texts"},
		"groups of numbers":        {map[string]string{"google.subject": `"s"`, "google.groups": "[1]"}, "google.groups holds something else than text"},
		"8,191 bytes":              {many(1638, 5), ""},
		"more than 8,192 bytes":    {many(1639, 5), "the attributes have 8196 bytes together, and at most 8192 are allowed"},
		"50 attributes":            {many(1, 50), ""},
	} {
		decision, err := decide(t, test.mapping, "")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		found := strings.Join(decision.Problems, "; ")
		if decision.Accepted != (test.problem == "") || !strings.Contains(found, test.problem) {
			t.Errorf("%s: %q", name, found)
		}
	}
}

func TestRequestsThatMakeNoSense(t *testing.T) {
	valid := map[string]string{"google.subject": "assertion.sub"}
	with := func(name, expression string) map[string]string {
		return map[string]string{"google.subject": "assertion.sub", name: expression}
	}
	many := map[string]string{"google.subject": "assertion.sub"}
	for i := range 51 {
		many[fmt.Sprintf("attribute.a%d", i)] = `"x"`
	}
	for name, test := range map[string]struct {
		mapping   map[string]string
		condition string
		problem   string
	}{
		"syntax":                   {valid, "1 +", "condition: ERROR: <input>:1:4"},
		"unknown variable":         {valid, "token.swname == 'x'", "undeclared reference to 'token'"},
		"no condition":             {valid, "'text'", "condition: is string, not true or false"},
		"long condition":           {valid, "true||" + strings.Repeat(" ", 4087) + "true", "condition: is longer than 4096 characters"},
		"no subject":               {map[string]string{"attribute.a": "'x'"}, "", "mapping: lacks google.subject"},
		"unknown attribute":        {with("google.name", "'x'"), "", `mapping: "google.name" is neither`},
		"name in capitals":         {with("attribute.A", "'x'"), "", `mapping: "attribute.A" is neither`},
		"long name":                {with("attribute."+strings.Repeat("a", 101), "'x'"), "", "is neither"},
		"51 attributes":            {many, "", "mapping: has more than 50 attributes"},
		"long expression":          {with("attribute.a", "'"+strings.Repeat("x", 2047)+"'"), "", "is longer than 2048 characters"},
		"expression with an error": {with("attribute.a", "assertion."), "", "mapping attribute.a: ERROR"},
		"mapping of attributes":    {with("attribute.a", "google.subject"), "", "mapping attribute.a: ERROR: <input>:1:1: undeclared reference to 'google'"},
	} {
		_, err := decide(t, test.mapping, test.condition)
		var bad badRequest
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), test.problem) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Decide(context.Background(), Request{}); err == nil || err.Error() != "assertion: is missing" {
		t.Errorf("%v", err)
	}
}

func TestAnExpressionThatCostsTooMuchIsBrokenOff(t *testing.T) {
	list := "[1,2,3,4,5,6,7,8,9,10]"
	nested := "true"
	for _, variable := range "abcdefgh" {
		nested = fmt.Sprintf("%s.all(%c, %s)", list, variable, nested)
	}
	decision, err := decide(t, nil, nested+" && assertion.secboot")
	if err != nil {
		t.Fatal(err)
	}
	if decision.Accepted || !strings.Contains(decision.Conditions[0].Error, "actual cost limit exceeded") || !decision.Conditions[1].Holds {
		t.Errorf("%+v", decision)
	}
}

func TestItEndsWithItsTime(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	many := strings.TrimSuffix(strings.Repeat("1,", 1000), ",")
	decision, err := Decide(ended, Request{assertion(t), nil, "[" + many + "].all(a, a == 1)"})
	if err != nil {
		t.Fatal(err)
	}
	if decision.Accepted || !strings.Contains(decision.Conditions[0].Error, "interrupted") {
		t.Errorf("%+v", decision)
	}
}

func FuzzDecide(f *testing.F) {
	f.Add(claims, "assertion.sub", "assertion.secboot && assertion.swname != ''")
	f.Add(`{"sub": 1e999}`, "assertion.sub", "assertion.sub.exists(x, x == 1)")
	f.Fuzz(func(t *testing.T, text, mapping, condition string) {
		var parsed map[string]any
		if json.Unmarshal([]byte(text), &parsed) != nil {
			return
		}
		decision, err := Decide(context.Background(), Request{parsed, map[string]string{"google.subject": mapping}, condition})
		if err != nil {
			return
		}
		if _, err := json.Marshal(decision); err != nil {
			t.Error(err)
		}
		for _, condition := range decision.Conditions {
			if decision.Accepted && !condition.Holds {
				t.Errorf("accepted, though %s does not hold", condition.Expression)
			}
		}
	})
}
