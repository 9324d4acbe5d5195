#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "csctl/commands/token.h"

namespace csctl {

struct TokenCheck {
  std::string name;
  bool holds = true;
  std::string why = {};
};

/// Every one of them, so that a person sees all that is wrong at once.
struct TokenChecks {
  std::vector<TokenCheck> all;
  bool hold = true;
};

/// Adds the options by which a token is verified, but for the time.
void add_key_options(CLI::App& command, TokenVerifyOptions& options);

/// Whether `options` say by whose keys a token is verified.
bool names_keys(const TokenVerifyOptions& options);

/// Whether a token is genuine, and good for whom and when they say. Throws Error when the keys can't be had: that is no
/// answer to the question.
TokenChecks check_token(const std::string& token, const TokenVerifyOptions& options);

}  // namespace csctl
