#include "csctl/commands/token.h"

#include "csctl/commands/command.h"
#include "csctl/commands/token_checks.h"
#include "csctl/input/input.h"
#include "evidence/jose.h"

namespace csctl {
namespace {

void add_source(CLI::App& command, std::string& source, std::string& socket) {
  command.add_option("FILE", source,
                     "File with a token, or - for standard input; without it the launcher's default token");
  command.add_option("--socket", socket, "Socket of the launcher, as a workload has it")
      ->type_name("SOCKET")
      ->capture_default_str();
}

void add_show_options(CLI::App& command, TokenShowOptions& options) {
  add_source(command, options.source, options.socket);
}

void add_verify_options(CLI::App& command, TokenVerifyOptions& options) {
  add_source(command, options.source, options.socket);
  add_key_options(command, options);
  command.add_option("--at", options.at, "When: such as 2026-01-31T23:59:59Z; without it now")->type_name("TIME");
}

void add_watch_options(CLI::App& command, TokenWatchOptions& options) {
  command.add_option("--socket", options.socket, "Socket of the launcher, as a workload has it")
      ->type_name("SOCKET")
      ->capture_default_str();
  command.add_option("--count", options.count, "End after so many tokens; without it when it is interrupted");
}

}  // namespace

void add_key_options(CLI::App& command, TokenVerifyOptions& options) {
  command
      .add_option("--issuer", options.issuer,
                  "Who must have issued it: https://...; its keys are fetched from there unless --jwks gives them")
      ->type_name("URL");
  CLI::Option* jwks =
      command.add_option("--jwks", options.jwks, "File with the issuer's keys, a JSON Web Key Set")->type_name("FILE");
  command.add_option("--pki-root", options.pki_root, "Certificate (PEM) of the root of PKI tokens, instead of keys")
      ->type_name("FILE")
      ->excludes(jwks);
  command.add_option("--ca", options.ca, "Roots (PEM) trusted for where keys are fetched, instead of the system's")
      ->type_name("FILE");
  command.add_option("--audience", options.audience, "For whom it must be")->type_name("URL");
}

std::string token_text(std::string_view text) {
  constexpr std::string_view kWhiteSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kWhiteSpace);
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(kWhiteSpace) - begin + 1));
}

std::string read_token(const std::string& source, const std::string& socket) {
  return token_text(source.empty() ? TeeSocket(socket).token() : read_text_input(source, evidence::kMaxJwtBytes + 2));
}

void add_token(CLI::App& app, Work& work) {
  CLI::App& noun = add_noun(app, "token", "Attestation tokens: what they say, whether they are genuine");
  add_verb<TokenShowOptions>(noun,
                             {.name = "show",
                              .help = "Show the claims and what each proves; verifies nothing",
                              .example = "csctl token show\n"
                                         "csctl token show token.jwt"},
                             work, add_show_options, show_token);
  add_verb<TokenVerifyOptions>(
      noun,
      {.name = "verify",
       .help = "Check signature, issuer, audience and time",
       .example = "csctl token verify token.jwt --issuer https://attestation.example\n"
                  "csctl token verify token.jwt --jwks keys.json --audience https://me.example\n"
                  "csctl token verify token.jwt --pki-root root.pem"},
      work, add_verify_options, verify_token);
  add_verb<TokenWatchOptions>(noun,
                              {.name = "watch",
                               .help = "Print a line for each default token that the launcher gets",
                               .example = "csctl token watch --count 2"},
                              work, add_watch_options, watch_token);
}

}  // namespace csctl
