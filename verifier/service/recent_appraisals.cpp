#include "verifier/service/recent_appraisals.h"

#include <string>
#include <utility>

namespace verifier {

using base::Json;

void RecentAppraisals::add(Json appraisal) {
  constexpr auto kReplace = Json::error_handler_t::replace;
  if (appraisal.dump(-1, ' ', false, kReplace).size() > kMaxAppraisalBytes) appraisal.erase("explanation");
  appraisals_.push_front(std::move(appraisal));
  if (appraisals_.size() > kMaxAppraisals) appraisals_.pop_back();
}

void RecentAppraisals::add(const IssuedToken& issued, base::WallTime now) {
  ++tokens_;
  Json appraisal = {{"time", base::to_rfc3339(now)},
                    {"outcome", "token"},
                    {"project_id", issued.identity.project_id},
                    {"instance_name", issued.identity.instance_name},
                    {"instance_id", std::to_string(issued.identity.instance_id)},
                    {"attestation_key", issued.attestation_key_sha256},
                    {"hwmodel", issued.claims.at("hwmodel")},
                    {"swname", issued.claims.at("swname")},
                    {"image_digest", issued.image_digest}};
  if (!issued.explanation.is_null()) appraisal["explanation"] = issued.explanation;
  add(std::move(appraisal));
}

void RecentAppraisals::add(const evidence::StatusError& refusal, base::WallTime now) {
  ++refusals_;
  add({{"time", base::to_rfc3339(now)},
       {"outcome", "refused"},
       {"reason", refusal.reason()},
       {"message", std::string(std::string_view(refusal.what()).substr(0, kMaxAppraisalBytes / 2))}});
}

Json RecentAppraisals::list(std::string_view instance_id) const {
  Json list = Json::array();
  for (const Json& appraisal : appraisals_) {
    if (instance_id.empty() || appraisal.value("instance_id", "") == instance_id) list.push_back(appraisal);
  }
  return list;
}

}  // namespace verifier
