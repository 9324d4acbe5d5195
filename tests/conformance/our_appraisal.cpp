// What our verifier makes of evidence, of logs and of changed ones: the appraisal of cs-verifier, asked the questions
// that tests/conformance/reference is asked, with the same answers. A question a line on standard input, an answer a
// line.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/certificate.h"
#include "base/clock.h"
#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "evidence/evidence.h"
#include "evidence/messages.h"
#include "measure/boot_log.h"
#include "measure/cel.h"
#include "verifier/appraisal/appraisal.h"
#include "verifier/appraisal/boot_state.h"
#include "verifier/appraisal/launch_state.h"
#include "verifier/appraisal/technology.h"

namespace {

using base::InvalidInput;
using base::Json;
using base::JsonObject;

constexpr base::JsonLimits kLimits{.max_bytes = std::size_t{64} << 20U};

measure::HashAlgorithm bank_of(const JsonObject& question) {
  const auto bank = measure::hash_algorithm_of(static_cast<std::uint32_t>(question.unsigned_integer("bank")));
  if (!bank) throw InvalidInput("bank", "is not known");
  return *bank;
}

measure::PcrValues registers_of(const JsonObject& question) {
  measure::PcrValues values;
  for (const auto& [name, value] : question.raw().at("pcrs").items()) {
    values[static_cast<std::uint32_t>(std::stoul(name))] = base::base64_decode(value.get<std::string>(), "pcrs");
  }
  return values;
}

Json container_of(const verifier::LaunchState& launch) {
  return {{"image_reference", launch.image_reference},
          {"image_digest", launch.image_digest},
          {"image_id", launch.image_id},
          {"restart_policy", launch.restart_policy},
          {"args", launch.args},
          {"env", launch.env},
          {"cmd_override", launch.override_args},
          {"env_override", launch.override_env},
          {"memory_enabled", launch.memory_monitoring}};
}

Json launch_answer(const JsonObject& question, base::ByteView log) {
  const auto records = measure::decode_cel(log);
  const measure::HashAlgorithm bank = bank_of(question);
  const measure::PcrValues values = registers_of(question);
  const measure::Digest replayed = measure::replay_cel(records, bank);
  const base::Bytes& value = values.at(measure::kLaunchPcr);
  if (replayed.to_bytes() != value) throw InvalidInput("launch log", "does not replay to the register");
  return {{"container", container_of(verifier::parse_launch_log(records))}};
}

/// The technology that a machine of Google Cloud's names; nothing where its log does not tell of one soundly.
std::string technology_in(const measure::BootLog& log, measure::HashAlgorithm bank) {
  try {
    return std::string(verifier::hardware_model(verifier::extract_technology(log, bank)));
  } catch (const InvalidInput&) {
    return {};
  }
}

Json boot_answer(const JsonObject& question, base::ByteView bytes) {
  const measure::BootLog log = measure::decode_boot_log(bytes);
  const measure::HashAlgorithm bank = bank_of(question);
  const measure::PcrValues values = registers_of(question);
  for (const auto& [index, value] : log.replay(bank)) {
    const auto quoted = values.find(index);
    if (quoted == values.end() || quoted->second != value) {
      throw InvalidInput("boot log", "does not replay to PCR " + std::to_string(index));
    }
  }
  const verifier::BootState state = verifier::extract_boot_state(log, bank);
  return {{"boot", {{"secure_boot", state.secure_boot}, {"technology", technology_in(log, bank)}}}};
}

Json evidence_answer(const JsonObject& question, const verifier::TrustAnchors& anchors) {
  const base::Json request = {{"tpmAttestation", question.raw().at("tpmAttestation")}};
  const auto parsed = evidence::VerifyRequest::parse(JsonObject(request, "request"));
  const verifier::Appraisal appraisal =
      verifier::appraise(parsed.evidence, question.bytes("nonce"), anchors, base::Clock::system().wall());
  const evidence::InstanceIdentity& identity = appraisal.identity;
  return {{"container", container_of(appraisal.launch.value())},
          {"boot", {{"secure_boot", appraisal.secure_boot}, {"technology", ""}}},
          {"instance",
           {{"zone", identity.zone},
            {"project_id", identity.project_id},
            {"project_number", std::to_string(identity.project_number)},
            {"instance_name", identity.instance_name},
            {"instance_id", std::to_string(identity.instance_id)}}}};
}

verifier::TrustAnchors anchors_of(const JsonObject& question) {
  std::vector<verifier::TrustAnchor> anchors;
  for (base::X509Ptr& certificate : base::parse_pem_certificates(question.string("root"), "root")) {
    anchors.push_back({std::move(certificate), verifier::Platform{"SOFTWARE_TPM"}});
  }
  return verifier::TrustAnchors(anchors);
}

using Judge = std::function<Json(base::ByteView)>;

/// Every byte in turn with the bits of `mask` flipped: what is then made of it, and at which bytes.
Json every_byte(base::Bytes bytes, std::uint8_t mask, const Judge& judge) {
  std::map<std::string, std::vector<std::size_t>> accepted;
  std::size_t refused = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] ^= mask;
    try {
      accepted[judge(bytes).dump()].push_back(i);
    } catch (const base::Error&) {
      ++refused;
    }
    bytes[i] ^= mask;
  }
  Json answer = {{"refused", refused}, {"accepted", Json::array()}};
  for (const auto& [state, places] : accepted) {
    answer["accepted"].push_back({{"state", Json::parse(state)}, {"bytes", places}});
  }
  return answer;
}

/// A part of evidence, by a JSON pointer such as /quotes/0/rawQuote.
Json judge_evidence(const Json& question, const std::string& part, base::ByteView bytes,
                    const verifier::TrustAnchors& anchors) {
  Json changed = question;
  changed.at("tpmAttestation").at(Json::json_pointer(part)) = base::base64_encode(bytes);
  return evidence_answer(JsonObject(changed, "evidence"), anchors);
}

Json answer(const Json& line) {
  const JsonObject json(line, "question");
  const auto of_log = [&](const JsonObject& question, Json (*judge)(const JsonObject&, base::ByteView)) {
    const base::Bytes log = question.bytes("log");
    const auto mask = json.optional_unsigned("mask");
    if (!mask) return judge(question, log);
    return every_byte(log, static_cast<std::uint8_t>(*mask),
                      [&](base::ByteView bytes) { return judge(question, bytes); });
  };
  if (json.has("launch_log")) return of_log(json.object("launch_log"), launch_answer);
  if (json.has("boot_log")) return of_log(json.object("boot_log"), boot_answer);
  const JsonObject question = json.object("evidence");
  const verifier::TrustAnchors anchors = anchors_of(question);
  const auto part = json.optional_string("part");
  if (!part) return evidence_answer(question, anchors);
  const std::string text = question.raw().at("tpmAttestation").at(Json::json_pointer(*part)).get<std::string>();
  return every_byte(base::base64_decode(text, *part), static_cast<std::uint8_t>(json.unsigned_integer("mask")),
                    [&](base::ByteView bytes) { return judge_evidence(question.raw(), *part, bytes, anchors); });
}

}  // namespace

int main() {
  std::string line;
  while (std::getline(std::cin, line)) {
    Json found;
    try {
      found = answer(base::parse_json(line, "question", kLimits));
    } catch (const base::Error& error) {
      found = {{"error", error.what()}};
    }
    std::cout << found.dump() << std::endl;
  }
}
