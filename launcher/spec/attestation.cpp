#include "launcher/spec/attestation.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "base/error.h"

namespace launcher {
namespace {

using base::Error;

constexpr std::string_view kService = "tee-attestation-service";
constexpr std::string_view kServiceEnv = "gca-service-env";
constexpr std::string_view kImpersonate = "tee-impersonate-service-accounts";
constexpr std::string_view kSignedRepos = "tee-signed-image-repos";
constexpr std::string_view kNoRefresh = "tee-disable-gca-refresh";

constexpr std::array<std::pair<std::string_view, PublicService>, 3> kPublicServices = {{
    {"prod", PublicService::kProd},
    {"staging", PublicService::kStaging},
    {"autopush", PublicService::kAutopush},
}};

PublicService parse_public_service(const std::string& text) {
  for (const auto& [name, service] : kPublicServices) {
    if (base::equal_ignoring_case(text, name)) return service;
  }
  throw Error("the gca service env is not within the allowlist, want [prod staging autopush], got " + shown(text));
}

/// NAME@PROJECT.iam.gserviceaccount.com and the like; it becomes part of a URL's path.
void check_account(const std::string& account) {
  constexpr std::size_t kMaxAccountBytes = 254;  // RFC 5321 section 4.5.3.1.3
  const auto is_plain = [](char c) { return base::is_alphanumeric_or(c, "-_.@"); };
  if (account.size() > kMaxAccountBytes || std::ranges::count(account, '@') != 1 ||
      !std::ranges::all_of(account, is_plain) || account.starts_with('@') || account.ends_with('@'))
    throw Error("\"" + shown(account) + "\" is not the email address of a service account");
}

void check_count(std::size_t count, std::size_t most) {
  if (count > most) throw Error("more than " + std::to_string(most) + " of them");
}

}  // namespace

std::string_view url_of(PublicService service) {
  switch (service) {
    case PublicService::kProd: return "https://confidentialcomputing.googleapis.com";
    case PublicService::kStaging: return "https://staging-confidentialcomputing.sandbox.googleapis.com";
    case PublicService::kAutopush: return "https://autopush-confidentialcomputing.sandbox.googleapis.com";
  }
  throw Error("unknown attestation service");
}

AttestationSpec read_attestation(AttributeReader& reader) {
  AttestationSpec spec;
  spec.service = reader.text(kService);
  spec.public_service = reader.read(kServiceEnv, parse_public_service);
  if (!spec.service.empty() && spec.public_service)
    reader.problems().add("both tee-attestation-service and gca-service-env are specified, only one is permitted");
  spec.impersonated = reader.comma_list(kImpersonate);
  reader.problems().collect(kImpersonate, [&] {
    check_count(spec.impersonated.size(), kMaxImpersonated);
    for (const std::string& account : spec.impersonated) check_account(account);
  });
  spec.signature_repositories = reader.comma_list(kSignedRepos);
  reader.problems().collect(kSignedRepos,
                            [&] { check_count(spec.signature_repositories.size(), kMaxSignatureRepositories); });
  spec.default_token = !reader.boolean(kNoRefresh);
  return spec;
}

}  // namespace launcher
