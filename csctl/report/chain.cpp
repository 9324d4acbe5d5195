#include "csctl/report/chain.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/encoding.h"
#include "base/parse_number.h"
#include "measure/boot_meaning.h"
#include "verifier/appraisal/boot_registers.h"

namespace csctl {
namespace {

using base::Json;
using base::JsonObject;
using verifier::Check;
using verifier::Outcome;
using verifier::ReferenceValue;

enum class LinkKind : std::uint8_t { kTpm, kFirmware, kKeys, kKernel, kRoot, kLauncher, kContainer };

struct LinkText {
  LinkKind kind;
  std::string_view name;
  std::string_view proof;
};

/// In their order.
constexpr std::array kLinks = {
    LinkText{LinkKind::kTpm, "TPM",
             "a certificate of its attestation key that leads to a root that the verifier believes; the key signs all "
             "registers"},
    LinkText{LinkKind::kFirmware, "Firmware", "PCR 0 holds it, PCR 2 the drivers that it started"},
    LinkText{LinkKind::kKeys, "Keys", "PCR 7 holds whether Secure Boot is on, its keys, and which one approved what"},
    LinkText{LinkKind::kKernel, "Kernel",
             "PCR 4 holds what the firmware started, PCR 11 the parts of a unified kernel image"},
    LinkText{LinkKind::kRoot, "Root",
             "PCR 8, 9 and 12 hold command line, initial RAM disk and parameters; the command line names the root "
             "file system by its hash"},
    LinkText{LinkKind::kLauncher, "Launcher",
             "it is part of the root: an image that the verifier knows has a known one"},
    LinkText{LinkKind::kContainer, "Container", "the launcher measures it into PCR 13 before it starts it"},
};

constexpr std::string_view kTokenName = "Token";
constexpr std::string_view kTokenProof = "the verifier's signature, by keys that it publishes";
constexpr std::string_view kSaidByToken = "the token says so, and the verifier vouches for it";

LinkKind link_of_register(std::uint32_t pcr) {
  switch (pcr) {
    case verifier::kApplicationPcr:
    case verifier::kUnifiedKernelImagePcr: return LinkKind::kKernel;
    case verifier::kKeysPcr: return LinkKind::kKeys;
    case verifier::kGrubCommandPcr:
    case verifier::kLoaderPcr:
    case verifier::kParametersPcr: return LinkKind::kRoot;
    default: return LinkKind::kFirmware;
  }
}

/// Of an entry of reference values, in the words of its file.
LinkKind link_of_field(std::string_view field) {
  if (field.starts_with("secure_boot")) return LinkKind::kKeys;
  if (field.starts_with("unified_kernel_image")) return LinkKind::kKernel;
  if (field.starts_with("pcrs.")) {
    const auto pcr = base::parse_number(field.substr(field.rfind('.') + 1));
    return link_of_register(static_cast<std::uint32_t>(pcr.value_or(0)));
  }
  return LinkKind::kRoot;
}

LinkKind link_of_check(Check check) {
  switch (check) {
    case Check::kHardwareModel: return LinkKind::kFirmware;
    case Check::kSecureBoot: return LinkKind::kKeys;
    case Check::kImageInUse: return LinkKind::kLauncher;
    case Check::kLaunchLog:
    case Check::kLaunchReplay: return LinkKind::kContainer;
    default: return LinkKind::kTpm;
  }
}

/// All links, each as nobody knows it.
class Chain {
 public:
  Chain() {
    for (const auto& [kind, name, proof] : kLinks) {
      links_.push_back({.name = std::string(name), .state = State::kUnknown, .what = {}, .proof = std::string(proof)});
    }
  }

  Link& at(LinkKind kind) { return links_.at(static_cast<std::size_t>(kind)); }

  void fail(LinkKind kind, Expectation expectation) {
    at(kind).state = State::kFails;
    at(kind).expectations.push_back(std::move(expectation));
  }
  /// Unless it fails.
  void hold(LinkKind kind) {
    if (at(kind).state != State::kFails) at(kind).state = State::kHolds;
  }
  bool holds(LinkKind kind) { return at(kind).state == State::kHolds; }

  std::vector<Link> links() && { return std::move(links_); }

 private:
  std::vector<Link> links_;
};

/// The texts of the boot log's events of this type; of more than a few the first.
std::string texts_of(const Logs& logs, std::uint32_t type) {
  constexpr std::size_t kMaxTexts = 4;
  if (!logs.boot) return {};
  std::vector<std::string> texts;
  for (const measure::BootEvent& event : logs.boot->events) {
    if (event.type != type || texts.size() == kMaxTexts) continue;
    std::string meaning = measure::meaning_of(event);
    if (std::ranges::find(texts, meaning) == texts.end()) texts.push_back(std::move(meaning));
  }
  std::string all;
  for (const std::string& text : texts) all += (all.empty() ? "" : "; ") + text;
  return all;
}

/// Of which the logs measure anything.
std::set<LinkKind> measured_links(const Logs& logs) {
  std::set<LinkKind> links;
  for (const LoggedEvent& event : logs.boot_events()) {
    if (event.standing != Standing::kNotMeasured) links.insert(link_of_register(event.pcr));
  }
  if (logs.launch) links.insert(LinkKind::kContainer);
  return links;
}

std::string container_text(const Logs& logs) {
  std::string reference;
  std::string digest;
  for (const LoggedEvent& event : logs.launch_events()) {
    if (event.type == "ImageRef") reference = event.text;
    if (event.type == "ImageDigest") digest = event.text;
  }
  if (reference.empty() && digest.empty()) return "none was launched";
  return reference + " " + digest;
}

void describe(Chain& chain, const Logs& logs) {
  const std::string version = texts_of(logs, measure::boot_event::kScrtmVersion);
  if (!version.empty()) chain.at(LinkKind::kFirmware).what = "version " + version;
  chain.at(LinkKind::kKeys).what = texts_of(logs, measure::boot_event::kEfiVariableAuthority);
  chain.at(LinkKind::kKernel).what = texts_of(logs, measure::boot_event::kEfiBootServicesApplication);
  if (logs.launch) chain.at(LinkKind::kContainer).what = container_text(logs);
}

void describe(Chain& chain, const verifier::Appraisal& appraisal) {
  const evidence::InstanceIdentity& identity = appraisal.identity;
  chain.at(LinkKind::kTpm).what =
      "of machine " + identity.instance_name + ", project " + identity.project_id + ", zone " + identity.zone;
  std::string& firmware = chain.at(LinkKind::kFirmware).what;
  firmware = "a machine of kind " + appraisal.hwmodel + (firmware.empty() ? "" : ", " + firmware);
  chain.at(LinkKind::kKeys).what =
      appraisal.secure_boot ? "Secure Boot is on; " + chain.at(LinkKind::kKeys).what : "Secure Boot is off";
  const auto& machine = std::get<verifier::TpmMachine>(appraisal.machine);
  if (const auto& application = machine.boot.boot_manager.only_application) {
    chain.at(LinkKind::kKernel).what += " sha256:" + base::hex_encode(*application);
  }
  if (machine.boot.kernel_command_line) chain.at(LinkKind::kRoot).what = *machine.boot.kernel_command_line;
}

void examined(Chain& chain, const verifier::Examination& examination) {
  for (const verifier::Examined& check : examination.checks()) {
    if (check.outcome != Outcome::kFailed) continue;
    chain.fail(link_of_check(check.check), {std::string(verifier::name_of(check.check)), "it holds", check.detail});
  }
  chain.hold(LinkKind::kTpm);
}

void deviates(Chain& chain, const verifier::Explanation& explanation) {
  for (const auto& [mismatch, events] : explanation.deviations) {
    const LinkKind kind = link_of_field(mismatch.field);
    if (events.empty()) chain.fail(kind, {mismatch.field, mismatch.expected, mismatch.found});
    for (const verifier::EventMismatch& event : events) chain.fail(kind, {mismatch.field, event.expected, event.found});
  }
}

/// Of what the entry states and the machine has: a link by what tells it from any other alone.
void matches(Chain& chain, const ReferenceValue& entry) {
  const auto hold_if = [&](LinkKind kind, bool is_stated) {
    if (is_stated) chain.hold(kind);
  };
  hold_if(LinkKind::kFirmware, entry.states_content(verifier::kFirmwarePcr));
  hold_if(LinkKind::kKeys,
          entry.states_content(verifier::kKeysPcr) || entry.secure_boot_certificate_sha256.has_value());
  hold_if(LinkKind::kKernel, entry.states_content(verifier::kApplicationPcr) ||
                                 entry.unified_kernel_image_authenticode_sha256.has_value());
  hold_if(LinkKind::kRoot, entry.states_content(verifier::kLoaderPcr) || entry.kernel_command_line.has_value());
}

std::string image_text(const ReferenceValue& entry) {
  return "image \"" + entry.name + "\", version " + std::to_string(entry.swversion) +
         (entry.hardened ? ", hardened" : ", with a way in for its operator");
}

void launched(Chain& chain, const verifier::Explanation& explanation) {
  Link& launcher = chain.at(LinkKind::kLauncher);
  switch (explanation.standing) {
    case verifier::Standing::kMatched:
      launcher.what = image_text(*explanation.entry);
      if (chain.holds(LinkKind::kTpm)) chain.hold(LinkKind::kLauncher);
      return;
    case verifier::Standing::kUnknown: launcher.what = "no image is known"; return;
    case verifier::Standing::kNearest:
      launcher.what = "no image that is known";
      chain.fail(LinkKind::kLauncher, {"image", explanation.entry->name, "one that differs from it"});
      return;
    case verifier::Standing::kRetired:
      chain.fail(LinkKind::kLauncher, {"image", "one in use", explanation.entry->name + ", which is deprecated"});
      return;
    case verifier::Standing::kExpired:
      chain.fail(LinkKind::kLauncher,
                 {"image", "one in use", explanation.entry->name + ", whose document has expired"});
      return;
  }
}

/// What it is of, in a form that people compare by.
Expectation expectation_of(const EventDifference& difference) {
  return {"PCR " + std::to_string(difference.pcr), difference.expected_words(), difference.found_words()};
}

void tokens_image(Chain& chain, const Json& claims, State good) {
  constexpr std::string_view kKnown = "CONFIDENTIAL_SPACE";
  const std::string name = claim_at(claims, "/swname");
  const bool is_known = name == kKnown;
  for (const LinkKind kind : {LinkKind::kKernel, LinkKind::kRoot, LinkKind::kLauncher}) {
    chain.at(kind).state = is_known ? good : State::kFails;
    chain.at(kind).what = is_known ? "as the image's" : "";
  }
  Link& launcher = chain.at(LinkKind::kLauncher);
  launcher.what = name + " " + claim_at(claims, "/swversion") + ", dbgstat " + claim_at(claims, "/dbgstat");
  const std::string entry = claim_at(claims, "/submods/confidential_space/reference_value/name");
  if (!entry.empty()) launcher.what += ", image \"" + entry + "\"";
  if (!is_known) launcher.expectations.push_back({"swname", std::string(kKnown), name});
}

}  // namespace

std::vector<Link> chain_of_machine(const MachineFindings& findings, const Logs& logs) {
  Chain chain;
  describe(chain, logs);
  if (findings.appraisal != nullptr) describe(chain, *findings.appraisal);
  if (findings.examination != nullptr) examined(chain, *findings.examination);
  if (findings.explanation == nullptr) return std::move(chain).links();
  deviates(chain, *findings.explanation);
  launched(chain, *findings.explanation);
  if (!chain.holds(LinkKind::kTpm)) return std::move(chain).links();
  // A machine that may run a deprecated image need not have all that its entry states.
  const ReferenceValue* entry = findings.explanation->entry;
  if (entry != nullptr && findings.explanation->standing != verifier::Standing::kRetired) {
    matches(chain, *entry);
    const auto& command_line = entry->kernel_command_line;
    if (command_line && chain.holds(LinkKind::kRoot)) chain.at(LinkKind::kRoot).what = *command_line;
  }
  // What another launcher measures is its word alone.
  if (logs.launch && chain.holds(LinkKind::kLauncher)) chain.hold(LinkKind::kContainer);
  return std::move(chain).links();
}

std::vector<Link> chain_of_differences(const std::vector<EventDifference>& differences, const Logs& expected,
                                       const Logs& found) {
  Chain chain;
  describe(chain, found);
  for (const EventDifference& difference : differences) {
    const LinkKind kind = difference.is_launch() ? LinkKind::kContainer : link_of_register(difference.pcr);
    if (difference.matters()) chain.fail(kind, expectation_of(difference));
  }
  const std::set<LinkKind> of_expected = measured_links(expected);
  for (const LinkKind kind : measured_links(found)) {
    if (of_expected.contains(kind)) chain.hold(kind);
  }
  std::vector<Link> links = std::move(chain).links();
  // Two logs tell neither whose TPM it was nor which launcher is in the root.
  std::erase_if(links, [](const Link& link) { return link.name == "TPM" || link.name == "Launcher"; });
  return links;
}

std::vector<Link> chain_of_token(const Json& claims, State signature) {
  Chain chain;
  // What a token says that nobody has verified is anybody's word.
  const State good = signature == State::kHolds ? State::kHolds : State::kUnknown;
  chain.at(LinkKind::kTpm).state = good;
  chain.at(LinkKind::kTpm).what = "of machine " + claim_at(claims, "/submods/gce/instance_name") + ", project " +
                                  claim_at(claims, "/submods/gce/project_id");
  chain.at(LinkKind::kFirmware).what = "a machine of kind " + claim_at(claims, "/hwmodel");
  const bool is_on = claim_at(claims, "/secboot") == "true";
  chain.at(LinkKind::kKeys).what = is_on ? "Secure Boot is on" : "Secure Boot is off";
  chain.at(LinkKind::kKeys).state = is_on ? good : State::kFails;
  if (!is_on) chain.at(LinkKind::kKeys).expectations.push_back({"secboot", "true", claim_at(claims, "/secboot")});
  tokens_image(chain, claims, good);
  const std::string digest = claim_at(claims, "/submods/container/image_digest");
  chain.at(LinkKind::kContainer).what =
      digest.empty() ? "none was launched" : claim_at(claims, "/submods/container/image_reference") + " " + digest;
  if (!digest.empty() && chain.holds(LinkKind::kLauncher)) chain.hold(LinkKind::kContainer);
  std::vector<Link> links = std::move(chain).links();
  for (Link& link : links) link.proof = kSaidByToken;
  links.push_back(token_link(claims, signature));
  return links;
}

Link token_link(const Json& claims, State signature) {
  return {.name = std::string(kTokenName),
          .state = signature,
          .what = "of " + claim_at(claims, "/iss") + " for " + claim_at(claims, "/aud"),
          .proof = std::string(kTokenProof)};
}

std::string claim_at(const Json& claims, const std::string& pointer) {
  const Json::json_pointer place(pointer);
  if (!claims.contains(place)) return {};
  const Json& value = claims.at(place);
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : value.dump();
}

}  // namespace csctl
