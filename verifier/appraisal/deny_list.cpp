#include "verifier/appraisal/deny_list.h"

#include <string>
#include <vector>

#include "base/encoding.h"
#include "base/error.h"
#include "base/json.h"
#include "base/parse_number.h"
#include "evidence/refusal.h"
#include "measure/digest.h"

namespace verifier {
namespace {

using base::InvalidInput;
using base::JsonObject;

void add_instances(std::set<std::string, std::less<>>& ids, const JsonObject& json) {
  for (const std::string& id : json.strings_or_empty("instance_ids")) {
    const auto number = base::parse_number(id);
    if (!number || std::to_string(*number) != id) {
      throw InvalidInput(json.path() + ".instance_ids", "\"" + id + "\" is no instance's number");
    }
    ids.insert(id);
  }
}

void add_keys(std::set<std::string, std::less<>>& keys, const JsonObject& json) {
  const std::vector<std::string> texts = json.strings_or_empty("attestation_keys");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string field = json.path() + ".attestation_keys[" + std::to_string(i) + "]";
    const base::Bytes digest = base::hex_decode(texts[i], field);
    if (digest.size() != measure::digest_size(measure::HashAlgorithm::kSha256)) {
      throw InvalidInput(field, "is no SHA-256 digest");
    }
    keys.insert(base::hex_encode(digest));
  }
}

}  // namespace

DenyList DenyList::parse(std::string_view json, const std::string& subject) {
  const base::Json parsed =
      base::parse_json(json, subject, {.max_bytes = kMaxDenyListBytes, .max_values = kMaxDenyListEntries});
  const JsonObject document(parsed, subject);
  document.expect_only({"instance_ids", "attestation_keys"});
  DenyList list;
  add_instances(list.instance_ids_, document);
  add_keys(list.attestation_keys_, document);
  return list;
}

void DenyList::check(const Appraisal& appraisal) const {
  const std::string instance_id = std::to_string(appraisal.identity.instance_id);
  if (instance_ids_.contains(instance_id)) {
    throw evidence::Refusal(evidence::Reason::kInstanceDenied, "instance " + instance_id + " is on the deny list");
  }
  if (attestation_keys_.contains(appraisal.attestation_key_sha256)) {
    throw evidence::Refusal(evidence::Reason::kKeyDenied,
                            "attestation key " + appraisal.attestation_key_sha256 + " is on the deny list");
  }
}

}  // namespace verifier
