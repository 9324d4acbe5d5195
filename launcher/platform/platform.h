#pragma once

#include <optional>
#include <string>

#include "base/asio.h"
#include "launcher/spec/launch_spec.h"

namespace launcher {

/// In which project and zone the machine runs, for the verifier's resource names.
struct Location {
  std::string project_id;
  std::string zone;

  /// The zone without its last part: us-central1-a is in us-central1.
  std::string region() const;
};

/// Where the operator's input comes from, and what the machine's platform knows of it.
class Platform {
 public:
  virtual ~Platform() = default;

  /// One try: a server that is not there yet is waited for by the caller.
  virtual base::Awaitable<Attributes> attributes() = 0;
  /// Nothing when the source does not know: then the attestation key certificate does.
  virtual base::Awaitable<std::optional<Location>> location() = 0;
  /// The name by which the platform knows the machine; nothing when the source does not know it.
  virtual base::Awaitable<std::optional<std::string>> instance_name() = 0;
  /// An OAuth access token of the machine's service account; nothing when it has none.
  virtual base::Awaitable<std::optional<std::string>> access_token() = 0;
  /// An ID token of the machine's service account; nothing when it has none.
  virtual base::Awaitable<std::optional<std::string>> identity_token(std::string audience) = 0;
};

}  // namespace launcher
