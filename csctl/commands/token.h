#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "csctl/screen/exit_code.h"
#include "csctl/input/tee_socket.h"
#include "csctl/screen/screen.h"

namespace csctl {

/// A token without what stands around it in a file.
std::string token_text(std::string_view text);

struct TokenShowOptions {
  std::string source;  ///< a file, or -; empty: the launcher's default token
  std::string socket = kTeeSocket;
  bool json = false;
};
/// The claims, with what each proves once the token is verified.
ExitCode show_token(const TokenShowOptions& options, Screen& screen);

struct TokenVerifyOptions {
  std::string source;
  std::string socket = kTeeSocket;
  std::string issuer;    ///< who must have issued it; its keys are fetched unless the next one says them
  std::string jwks;      ///< a file
  std::string pki_root;  ///< PEM: for PKI tokens
  std::string ca;        ///< PEM: the only roots trusted for where keys are fetched
  std::string audience;  ///< empty: not looked at
  std::string at;        ///< RFC 3339; empty: now
  bool json = false;
};
ExitCode verify_token(const TokenVerifyOptions& options, Screen& screen);

struct TokenWatchOptions {
  std::string socket = kTeeSocket;
  unsigned count = 0;  ///< of tokens; 0: until it is interrupted
  bool json = false;
};
/// A line for each default token that the launcher gets.
ExitCode watch_token(const TokenWatchOptions& options, Screen& screen);

/// The token itself, without white space around it: of a file, or of the launcher.
std::string read_token(const std::string& source, const std::string& socket);

}  // namespace csctl
