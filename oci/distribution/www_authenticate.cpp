#include "oci/distribution/www_authenticate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/ascii.h"
#include "base/error.h"

namespace oci {
namespace {

constexpr auto kHeader = "WWW-Authenticate";

/// tchar, RFC 9110 section 5.6.2.
bool is_token_char(char c) { return base::is_alphanumeric_or(c, "!#$%&'*+-.^_`|~"); }
bool is_token68_char(char c) { return base::is_alphanumeric_or(c, "-._~+/"); }
/// What a value holds that should have been quoted, such as a URL.
bool is_unquoted_char(char c) {
  return c > ' ' && c <= '~' && std::string_view(",;\"").find(c) == std::string_view::npos;
}
bool is_illegal_in_quotes(char c) { return (static_cast<unsigned char>(c) < 0x20U && c != '\t') || c == 0x7f; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  std::vector<AuthChallenge> parse() {
    std::vector<AuthChallenge> challenges;
    for (skip_separators(); !at_end(); skip_separators()) {
      if (challenges.size() == kMaxChallenges) fail("too many challenges");
      challenges.push_back(challenge());
    }
    return challenges;
  }

 private:
  [[noreturn]] static void fail(std::string_view reason) { throw base::InvalidInput(kHeader, reason); }

  bool at_end() const { return position_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[position_]; }
  static bool is_space(char c) { return c == ' ' || c == '\t'; }
  static bool is_separator(char c) { return c == ',' || c == ';'; }
  bool at_list_end() const { return at_end() || is_separator(peek()); }

  void skip_space() {
    while (is_space(peek())) ++position_;
  }
  void skip_separators() {
    while (is_space(peek()) || is_separator(peek())) ++position_;
  }

  std::string_view take_while(bool (*accepts)(char)) {
    const std::size_t begin = position_;
    while (!at_end() && accepts(text_[position_])) ++position_;
    return text_.substr(begin, position_ - begin);
  }

  AuthChallenge challenge() {
    AuthChallenge result;
    result.scheme = base::lower_case(take_while(is_token_char));
    if (result.scheme.empty()) fail("no authentication scheme where one is due");
    if (!at_list_end() && !is_space(peek())) fail("illegal character behind the authentication scheme");
    skip_space();
    if (at_list_end()) return result;
    auto first = parameter(false);
    if (!first) first = empty_parameter();
    if (!first) {
      result.token68 = token68();
      return result;
    }
    std::size_t count = 0;
    add(result, std::move(*first), count);
    for (auto next = next_parameter(); next; next = next_parameter()) add(result, std::move(*next), count);
    return result;
  }

  using Parameter = std::pair<std::string, std::string>;

  /// Of a parameter that occurs again the last value counts, except where it would say to whom we turn for a token.
  static void add(AuthChallenge& challenge, Parameter parameter, std::size_t& count) {
    if (++count > kMaxChallengeParameters) fail("too many parameters");
    auto& [name, value] = parameter;
    const auto known = challenge.parameters.find(name);
    if (known != challenge.parameters.end() && name == "realm" && known->second != value) {
      fail("a challenge has two realms");
    }
    challenge.parameters[std::move(name)] = std::move(value);
  }

  /// The next parameter of the same challenge, or nothing when a new challenge begins or the list ends.
  std::optional<Parameter> next_parameter() {
    const std::size_t before = position_;
    skip_separators();
    if (at_end()) return std::nullopt;
    const bool is_separated = position_ > before;
    auto found = is_separated ? parameter(true) : std::nullopt;
    if (!found && !holds_separator(before)) fail("illegal character behind a parameter");
    if (!found) position_ = before;
    return found;
  }

  /// Whether there is more than space from `begin` to where the parser stands.
  bool holds_separator(std::size_t begin) const {
    return std::ranges::any_of(text_.substr(begin, position_ - begin), is_separator);
  }

  /// A parameter without a value, as the first one: only if another follows, for a token68 may end like that.
  std::optional<Parameter> empty_parameter() {
    const std::size_t before = position_;
    auto found = parameter(true);
    if (!found) return std::nullopt;
    const std::size_t behind = position_;
    skip_separators();
    const bool another_follows = position_ > behind && parameter(false).has_value();
    position_ = another_follows ? behind : before;
    return another_follows ? std::move(found) : std::nullopt;
  }

  /// auth-param, or nothing (and nothing consumed) when the text is not one. Without a value it looks like a token68.
  std::optional<Parameter> parameter(bool may_be_empty) {
    const std::size_t before = position_;
    std::string name = base::lower_case(take_while(is_token_char));
    skip_space();
    if (name.empty() || peek() != '=') return rewind(before);
    ++position_;
    skip_space();
    if (peek() == '"') return Parameter{std::move(name), quoted_string()};
    if (peek() == '=') return rewind(before);  // padding of a token68
    std::string value(take_while(is_unquoted_char));
    if (value.empty() && !may_be_empty) return rewind(before);
    return Parameter{std::move(name), std::move(value)};
  }

  std::optional<Parameter> rewind(std::size_t to) {
    position_ = to;
    return std::nullopt;
  }

  std::string token68() {
    std::string token(take_while(is_token68_char));
    while (peek() == '=') {
      token.push_back('=');
      ++position_;
    }
    skip_space();
    if (token.empty() || token.front() == '=' || !at_list_end()) fail("neither a parameter nor a token68");
    return token;
  }

  std::string quoted_string() {
    std::string value;
    for (++position_; peek() != '"'; ++position_) {
      if (at_end()) fail("a quoted string does not end");
      if (peek() == '\\') ++position_;
      if (at_end() || is_illegal_in_quotes(peek())) fail("illegal character in a quoted string");
      value.push_back(peek());
    }
    ++position_;
    return value;
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace

std::vector<AuthChallenge> parse_www_authenticate(std::string_view value) {
  if (value.size() > kMaxChallengeBytes) throw base::InvalidInput(kHeader, "too long");
  return Parser(value).parse();
}

}  // namespace oci
