package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/parser"
)

// Limits of a workload identity pool provider: the reference of IAM's REST API,
// projects.locations.workloadIdentityPools.providers, "attributeMapping" and "attributeCondition".
const (
	maxConditionChars   = 4096
	maxExpressionChars  = 2048
	maxCustomAttributes = 50
	maxAttributeName    = 100
	maxSubjectBytes     = 127
	maxAttributesBytes  = 8 << 10
)

// How much an expression may cost, in the language's own units: a hundred times what the longest sensible one takes.
const maxCost = 1_000_000

// A condition may speak of the same large claim in each of its parts.
const maxFoundBytes = 8 << 10

// No expression is longer, so none is written in several lines.
const oneLine = 1 << 20

const (
	subject         = "google.subject"
	groups          = "google.groups"
	customAttribute = "attribute."
)

var attributeName = regexp.MustCompile(`^[a-z0-9_]+$`)

// Request is what is to be decided. Without a condition every token is accepted whose mapping works; without a mapping
// google.subject is the claim "sub".
type Request struct {
	Assertion map[string]any    `json:"assertion"`
	Mapping   map[string]string `json:"mapping"`
	Condition string            `json:"condition"`
}

// Decision says whether a token is accepted, and why or why not.
type Decision struct {
	Accepted   bool           `json:"accepted"`
	Attributes map[string]any `json:"attributes"`
	Conditions []Condition    `json:"conditions"`
	// What is wrong with what the mapping makes of the token.
	Problems []string `json:"problems"`
}

// Condition is one of those that "&&" joins.
type Condition struct {
	Expression string `json:"expression"`
	Holds      bool   `json:"holds"`
	// Why it could not be evaluated: it does not hold then.
	Error string `json:"error,omitempty"`
	// The value of each attribute that it speaks of, null for one that is absent; see shown.
	Found map[string]any `json:"found"`
}

// A request that makes no sense, whatever the token.
type badRequest struct {
	field string
	cause error
}

func (e badRequest) Error() string { return e.field + ": " + e.cause.Error() }
func (e badRequest) Unwrap() error { return e.cause }

// Decide evaluates a request. Its error is a badRequest: a condition or mapping that is wrong in itself.
func Decide(ctx context.Context, request Request) (Decision, error) {
	if request.Assertion == nil {
		return Decision{}, badRequest{"assertion", errors.New("is missing")}
	}
	if request.Mapping == nil {
		request.Mapping = map[string]string{subject: "assertion.sub"}
	}
	mapper, err := newEvaluator("assertion")
	if err != nil {
		return Decision{}, err
	}
	if err := checkMapping(request.Mapping); err != nil {
		return Decision{}, err
	}
	values := map[string]any{"assertion": request.Assertion}
	decision := Decision{Attributes: map[string]any{}, Conditions: []Condition{}, Problems: []string{}}
	for _, name := range sortedKeys(request.Mapping) {
		compiled, err := mapper.compile(request.Mapping[name])
		if err != nil {
			return Decision{}, badRequest{"mapping " + name, err}
		}
		value, err := mapper.evaluate(ctx, compiled, values)
		if err != nil {
			decision.Problems = append(decision.Problems, fmt.Sprintf("mapping %s: %v", name, err))
			continue
		}
		if decision.Attributes[name], err = textIn(name, value); err != nil {
			delete(decision.Attributes, name)
			decision.Problems = append(decision.Problems, err.Error())
		}
	}
	decision.Problems = append(decision.Problems, attributeProblems(decision.Attributes)...)
	judge, err := newEvaluator("assertion", "google", "attribute")
	if err != nil {
		return Decision{}, err
	}
	values["google"], values["attribute"] = namespaces(decision.Attributes)
	if decision.Conditions, err = judge.conditions(ctx, request.Condition, values); err != nil {
		return Decision{}, badRequest{"condition", err}
	}
	fails := func(c Condition) bool { return !c.Holds }
	decision.Accepted = len(decision.Problems) == 0 && !slices.ContainsFunc(decision.Conditions, fails)
	return decision, nil
}

func checkMapping(mapping map[string]string) error {
	if _, ok := mapping[subject]; !ok {
		return badRequest{"mapping", errors.New("lacks " + subject)}
	}
	custom := 0
	for _, name := range sortedKeys(mapping) {
		if len([]rune(mapping[name])) > maxExpressionChars {
			return badRequest{"mapping " + name, fmt.Errorf("is longer than %d characters", maxExpressionChars)}
		}
		if name == subject || name == groups {
			continue
		}
		short, isCustom := strings.CutPrefix(name, customAttribute)
		if !isCustom || !attributeName.MatchString(short) || len(short) > maxAttributeName {
			return badRequest{"mapping", fmt.Errorf("%q is neither %s, %s nor attribute.NAME of a-z, 0-9 and _", name, subject, groups)}
		}
		custom++
	}
	if custom > maxCustomAttributes {
		return badRequest{"mapping", fmt.Errorf("has more than %d attributes", maxCustomAttributes)}
	}
	return nil
}

// textIn returns what an attribute's value must be: text, or of groups a list of texts.
func textIn(name string, value ref.Val) (any, error) {
	if text, ok := value.(types.String); ok && name != groups {
		return string(text), nil
	}
	list, ok := value.(traits.Lister)
	if !ok || name != groups {
		return nil, fmt.Errorf("%s is %s, not %s", name, value.Type().TypeName(), wantedOf(name))
	}
	texts := []any{}
	for iterator := list.Iterator(); iterator.HasNext() == types.True; {
		text, ok := iterator.Next().(types.String)
		if !ok {
			return nil, fmt.Errorf("%s holds something else than text", name)
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}

func wantedOf(name string) string {
	if name == groups {
		return "a list of texts"
	}
	return "text"
}

func attributeProblems(attributes map[string]any) []string {
	problems := []string{}
	size := 0
	for _, name := range sortedKeys(attributes) {
		switch value := attributes[name].(type) {
		case string:
			size += len(value)
			if name == subject && len(value) > maxSubjectBytes {
				problems = append(problems, fmt.Sprintf("%s has %d bytes, and at most %d are allowed", name, len(value), maxSubjectBytes))
			}
			if name == subject && value == "" {
				problems = append(problems, name+" is empty")
			}
		case []any:
			for _, group := range value {
				size += len(group.(string))
			}
		}
	}
	if size > maxAttributesBytes {
		problems = append(problems, fmt.Sprintf("the attributes have %d bytes together, and at most %d are allowed", size, maxAttributesBytes))
	}
	return problems
}

// What a condition sees of attributes: those of Google's, and those of the provider's own.
func namespaces(attributes map[string]any) (google, attribute map[string]any) {
	google, attribute = map[string]any{}, map[string]any{}
	for name, value := range attributes {
		if short, isCustom := strings.CutPrefix(name, customAttribute); isCustom {
			attribute[short] = value
			continue
		}
		google[strings.TrimPrefix(name, "google.")] = value
	}
	return google, attribute
}

func sortedKeys[Value any](values map[string]Value) []string {
	keys := make([]string, 0, len(values))
	for key := range values {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Expressions over some variables, each a JSON object.
type evaluator struct {
	env       *cel.Env
	variables []string
}

func newEvaluator(variables ...string) (*evaluator, error) {
	options := []cel.EnvOption{ext.Strings(), cel.EnableMacroCallTracking()}
	for _, name := range variables {
		options = append(options, cel.Variable(name, cel.MapType(cel.StringType, cel.DynType)))
	}
	env, err := cel.NewEnv(options...)
	return &evaluator{env, variables}, err
}

func (e *evaluator) compile(expression string) (*cel.Ast, error) {
	compiled, issues := e.env.Compile(expression)
	return compiled, issues.Err()
}

func (e *evaluator) evaluate(ctx context.Context, compiled *cel.Ast, values map[string]any) (ref.Val, error) {
	program, err := e.env.Program(compiled, cel.CostLimit(maxCost), cel.InterruptCheckFrequency(100))
	if err != nil {
		return nil, err
	}
	value, _, err := program.ContextEval(ctx, values)
	return value, err
}

// Evaluates each of the conditions of which an expression consists.
func (e *evaluator) conditions(ctx context.Context, expression string, values map[string]any) ([]Condition, error) {
	if expression == "" {
		return []Condition{}, nil
	}
	if len([]rune(expression)) > maxConditionChars {
		return nil, fmt.Errorf("is longer than %d characters", maxConditionChars)
	}
	whole, err := e.compile(expression)
	if err != nil {
		return nil, err
	}
	if kind := whole.OutputType(); !kind.IsAssignableType(cel.BoolType) && !kind.IsAssignableType(cel.DynType) {
		return nil, fmt.Errorf("is %s, not true or false", kind)
	}
	native := whole.NativeRep()
	found := map[string]any{}
	conditions := []Condition{}
	for _, part := range conjuncts(native.Expr()) {
		text, err := parser.Unparse(part, native.SourceInfo(), parser.WrapOnColumn(oneLine))
		if err != nil {
			return nil, err
		}
		condition := Condition{Expression: text, Found: map[string]any{}}
		// As it stands in the whole: types were checked there.
		compiled, err := e.compile(text)
		if err != nil {
			return nil, err
		}
		if value, err := e.evaluate(ctx, compiled, values); err != nil {
			condition.Error = err.Error()
		} else if holds, ok := value.(types.Bool); ok {
			condition.Holds = bool(holds)
		} else {
			condition.Error = "is not true or false"
		}
		for _, path := range e.pathsIn(part) {
			if _, known := found[path]; !known {
				found[path] = shown(valueAt(path, values))
			}
			condition.Found[path] = found[path]
		}
		conditions = append(conditions, condition)
	}
	return conditions, nil
}

func conjuncts(expr ast.Expr) []ast.Expr {
	if expr.Kind() != ast.CallKind || expr.AsCall().FunctionName() != operators.LogicalAnd {
		return []ast.Expr{expr}
	}
	var parts []ast.Expr
	for _, argument := range expr.AsCall().Args() {
		parts = append(parts, conjuncts(argument)...)
	}
	return parts
}

// The longest paths below the variables, such as assertion.submods.container.image_digest, each once.
func (e *evaluator) pathsIn(expr ast.Expr) []string {
	paths := map[string]bool{}
	var visit func(ast.Expr)
	visit = func(expr ast.Expr) {
		if path := e.pathOf(expr); path != "" {
			paths[path] = true
			return
		}
		switch expr.Kind() {
		case ast.CallKind:
			call := expr.AsCall()
			if call.IsMemberFunction() {
				visit(call.Target())
			}
			for _, argument := range call.Args() {
				visit(argument)
			}
		case ast.SelectKind:
			visit(expr.AsSelect().Operand())
		case ast.ListKind:
			for _, element := range expr.AsList().Elements() {
				visit(element)
			}
		case ast.MapKind:
			for _, entry := range expr.AsMap().Entries() {
				visit(entry.AsMapEntry().Key())
				visit(entry.AsMapEntry().Value())
			}
		case ast.ComprehensionKind:
			visit(expr.AsComprehension().IterRange())
			visit(expr.AsComprehension().LoopStep())
			visit(expr.AsComprehension().Result())
		case ast.IdentKind, ast.LiteralKind, ast.StructKind, ast.UnspecifiedExprKind:
		}
	}
	visit(expr)
	return sortedKeys(paths)
}

// The path of a selection that begins at a variable, or nothing.
func (e *evaluator) pathOf(expr ast.Expr) string {
	switch expr.Kind() {
	case ast.IdentKind:
		if slices.Contains(e.variables, expr.AsIdent()) {
			return expr.AsIdent()
		}
	case ast.SelectKind:
		if operand := e.pathOf(expr.AsSelect().Operand()); operand != "" {
			return operand + "." + expr.AsSelect().FieldName()
		}
	default:
	}
	return ""
}

// What is shown of a value that was found: of a large one no more than how large it is.
func shown(value any) any {
	if text, err := json.Marshal(value); err == nil && len(text) > maxFoundBytes {
		return fmt.Sprintf("(%d bytes of JSON)", len(text))
	}
	return value
}

// The value at a path; nothing where it is absent.
func valueAt(path string, values map[string]any) any {
	var value any = values
	for _, name := range strings.Split(path, ".") {
		object, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		value = object[name]
	}
	return value
}
