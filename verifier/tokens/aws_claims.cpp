#include "verifier/tokens/aws_claims.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "evidence/refusal.h"

namespace verifier {
namespace {

using base::Json;
using evidence::Reason;
using evidence::Refusal;

/// AWS takes letters, digits and blanks of any script; here ASCII is all that occurs.
constexpr std::string_view kTagPunctuation = " _.:/=+-@";

std::string joined_values(const auto& values) {
  std::string text;
  for (const std::string& value : values) text.append(text.empty() ? "" : "=").append(value);
  return text;
}

void add_tag(Json& tags, const std::string& key, std::string value) {
  if (value.size() > kMaxTagValueLength) {
    throw Refusal(Reason::kTagDoesNotFit, "AWS tag " + key + ": " + std::to_string(value.size()) +
                                              " characters, and AWS takes " + std::to_string(kMaxTagValueLength));
  }
  const auto fits = [](char c) { return base::is_alphanumeric_or(c, kTagPunctuation); };
  if (!std::ranges::all_of(value, fits)) {
    throw Refusal(Reason::kTagDoesNotFit,
                  "AWS tag " + key + ": \"" + value + "\" holds a character that AWS does not take");
  }
  tags[key] = Json::array({std::move(value)});
}

std::set<std::string> allowed_signers(const TokenSubject& subject, const std::vector<std::string>& allowed) {
  std::set<std::string> signers;
  for (const auto& signature : subject.signatures) {
    if (std::ranges::find(allowed, signature.key_id) != allowed.end()) signers.insert(signature.key_id);
  }
  return signers;
}

Json principal_tags(const TokenSubject& subject, const evidence::TokenOptions& options) {
  const Appraisal& appraisal = subject.appraisal;
  Json tags = Json::object();
  add_tag(tags, "hwmodel", appraisal.hwmodel);
  add_tag(tags, "swname", subject.image != nullptr ? "CONFIDENTIAL_SPACE" : "GCE");
  add_tag(tags, "gce.project_id", appraisal.identity.project_id);
  add_tag(tags, "gce.zone", appraisal.identity.zone);
  if (subject.image != nullptr) {
    add_tag(tags, "swversion", std::to_string(subject.image->swversion));
    const std::string attributes = joined_values(subject.image->support_attributes);
    if (!attributes.empty()) add_tag(tags, "confidential_space.support_attributes", attributes);
  }
  if (!appraisal.launch) return tags;
  if (options.signature_key_ids.empty()) {
    add_tag(tags, "container.image_digest", appraisal.launch->image_digest);
  } else {
    const std::string key_ids = joined_values(allowed_signers(subject, options.signature_key_ids));
    if (!key_ids.empty()) add_tag(tags, "container.signatures.key_ids", key_ids);
  }
  return tags;
}

}  // namespace

Json aws_claims(const TokenSubject& subject, const evidence::TokenOptions& options, const TokenContext& context) {
  Json claims = common_claims(subject, options, context);
  claims[kAwsTagsClaim]["principal_tags"] = principal_tags(subject, options);
  return claims;
}

void expect_length_for_aws(std::string_view token) {
  if (token.size() <= kMaxAwsTokenBytes) return;
  throw Refusal(Reason::kTokenTooLong, "the token has " + std::to_string(token.size()) + " characters, and AWS takes " +
                                           std::to_string(kMaxAwsTokenBytes));
}

}  // namespace verifier
