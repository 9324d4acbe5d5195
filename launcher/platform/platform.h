#pragma once

#include <optional>
#include <string>

#include <openssl/types.h>

#include "base/asio.h"
#include "base/json.h"
#include "launcher/spec/attributes.h"

namespace launcher {

/// In which project and zone the machine runs, for the verifier's resource names.
struct Location {
  std::string project_id;
  std::string zone;

  /// The zone without its last part: us-central1-a is in us-central1.
  std::string region() const;
};

/// A machine of Google Compute Engine, as its logs and metrics name it (monitored resource gce_instance).
struct GceInstance {
  std::string project_id;
  std::string zone;
  std::string id;

  base::Json resource() const;
};

/// What the machine runs on: where the operator's input comes from, and what is known there of the machine. Every one
/// of these throws base::Error when there is no answer within its bound (docs/operator.md, "Waiting"), which may pass,
/// and InvalidInput, which names the question, for one that makes no sense.
class Platform {
 public:
  virtual ~Platform() = default;

  /// The operator's input.
  virtual base::Awaitable<Attributes> attributes() = 0;
  /// Nothing when the platform does not know.
  virtual base::Awaitable<std::optional<Location>> location() = 0;
  /// Nothing elsewhere.
  virtual base::Awaitable<std::optional<GceInstance>> gce_instance() = 0;
  /// The name by which the platform knows the machine; nothing when it does not know it.
  virtual base::Awaitable<std::optional<std::string>> instance_name() = 0;
  /// An OAuth access token of the machine's service account; nothing when it has none.
  virtual base::Awaitable<std::optional<std::string>> access_token() = 0;
  /// The token that access_token() has returned was not taken; the next one is to be another.
  virtual void forget_access_token() {}
  /// An ID token of the machine's service account; nothing when it has none.
  virtual base::Awaitable<std::optional<std::string>> identity_token(std::string audience) = 0;
};

/// What the platform says, or else the attestation key's certificate. Throws Error when neither does.
base::Awaitable<Location> location_of_machine(Platform& platform, const X509& ak_certificate);
/// What the platform says, or else gethostname(2). A failure of either may do better after a restart.
base::Awaitable<std::string> name_of_machine(Platform& platform);

}  // namespace launcher
