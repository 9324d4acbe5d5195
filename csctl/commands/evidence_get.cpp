#include "base/encoding.h"
#include "base/json.h"
#include "base/openssl.h"
#include "csctl/commands/evidence.h"
#include "csctl/input/material.h"

namespace csctl {

ExitCode get_evidence(const EvidenceGetOptions& options, Screen& screen) {
  constexpr std::size_t kChallengeBytes = 32;
  const base::Bytes challenge = options.challenge.empty() ? base::random_bytes(kChallengeBytes)
                                                          : base::hex_decode(options.challenge, "--challenge");
  const std::string evidence = TeeSocket(options.socket).evidence(challenge);
  screen.json(base::parse_json(evidence, "evidence", {.max_bytes = kMaxMaterialBytes}));
  return ExitCode::kYes;
}

}  // namespace csctl
