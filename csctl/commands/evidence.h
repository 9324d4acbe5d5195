#pragma once

#include <string>

#include "csctl/screen/exit_code.h"
#include "csctl/input/tee_socket.h"
#include "csctl/screen/screen.h"

namespace csctl {

struct EvidenceGetOptions {
  std::string socket = kTeeSocket;
  std::string challenge;  ///< hexadecimal; empty: a random one
  bool json = false;      ///< it is JSON anyway
};
/// Prints what /v1/evidence answers.
ExitCode get_evidence(const EvidenceGetOptions& options, Screen& screen);

struct EvidenceShowOptions {
  std::string source;
  bool json = false;
};
ExitCode show_evidence(const EvidenceShowOptions& options, Screen& screen);

struct EvidenceVerifyOptions {
  std::string source;
  std::string config;  ///< of a verifier
  std::string at;      ///< RFC 3339; empty: now
  std::string nonce;   ///< hexadecimal; empty: not known
  bool json = false;
};
ExitCode verify_evidence(const EvidenceVerifyOptions& options, Screen& screen);

}  // namespace csctl
