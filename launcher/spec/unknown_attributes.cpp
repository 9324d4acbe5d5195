#include "launcher/spec/unknown_attributes.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "base/log.h"
#include "launcher/spec/command.h"

namespace launcher {
namespace {

constexpr std::string_view kPrefix = "tee-";

constexpr std::array<std::string_view, 21> kKnown = {
    "tee-image-reference",
    "tee-restart-policy",
    "tee-cmd",
    "tee-impersonate-service-accounts",
    "tee-signed-image-repos",
    "tee-monitoring-memory-enable",
    "tee-monitoring-enable",
    "tee-container-log-redirect",
    "tee-dev-shm-size-kb",
    "tee-mount",
    "tee-added-capabilities",
    "tee-cgroup-ns",
    "tee-disable-gca-refresh",
    "tee-install-gpu-driver",
    "tee-attestation-service",
    "tee-registry-auth",
    "tee-nonroot-container",
    "gca-service-env",
    "ita-region",
    "ita-api-key",
    "test-fake-verifier",
};

/// With a third of its letters wrong a key is taken for another word.
constexpr std::size_t kSlipsAmong = 3;
/// Of a key that does not begin as ours do.
constexpr std::size_t kMaxSlipsOfStrangers = 2;

std::string in_lower_case(std::string_view text) { return base::lower_case(text.substr(0, kMaxKeyCompared + 1)); }

/// Levenshtein's: letters to put in, take away or replace. Both are short.
std::size_t slips_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j + 1] + 1, row[j] + 1});
    }
  }
  return row.back();
}

struct Nearest {
  std::string name;
  std::size_t slips;
};

/// The known name that is at most `most` slips away; without a name when there is none.
Nearest nearest_to(const std::string& key, std::size_t most) {
  Nearest nearest{"", most + 1};
  for (const std::string_view known : kKnown) {
    if (std::max(key.size(), known.size()) - std::min(key.size(), known.size()) > most) continue;
    const std::size_t slips = slips_between(key, known);
    if (slips < nearest.slips) nearest = {std::string(known), slips};
  }
  // "tee-envFOO", "tee-evn-FOO", "TEE-ENV-FOO": only the beginning is compared.
  const std::size_t slips = slips_between(key.substr(0, kEnvPrefix.size()), kEnvPrefix);
  if (slips < nearest.slips && slips <= kMaxSlipsOfStrangers) nearest = {std::string(kEnvPrefix) + "NAME", slips};
  return nearest;
}

bool is_known(const std::string& key) {
  return key.starts_with(kEnvPrefix) || std::ranges::find(kKnown, key) != kKnown.end();
}

}  // namespace

std::vector<UnknownAttribute> unknown_attributes(const Attributes& attributes) {
  std::vector<UnknownAttribute> unknown;
  for (const auto& [key, value] : attributes) {
    if (unknown.size() == kMaxUnknownListed) break;
    if (is_known(key)) continue;
    const std::string lower = in_lower_case(key);
    const bool is_ours = lower.starts_with(kPrefix);
    const std::size_t most = is_ours ? lower.size() / kSlipsAmong : kMaxSlipsOfStrangers;
    const std::string nearest = key.size() <= kMaxKeyCompared ? nearest_to(lower, most).name : "";
    if (is_ours || !nearest.empty()) unknown.push_back({key.substr(0, kMaxKeyCompared), nearest});
  }
  return unknown;
}

void warn_of_unknown(const Attributes& attributes) {
  for (const UnknownAttribute& unknown : unknown_attributes(attributes)) {
    if (unknown.nearest.empty()) {
      base::log::warning("an attribute is not known and has no effect", {{"attribute", unknown.key}});
    } else {
      base::log::warning("an attribute is not known and has no effect",
                         {{"attribute", unknown.key}, {"did_you_mean", unknown.nearest}});
    }
  }
}

}  // namespace launcher
