#include "verifier/service/admission.h"

#include <string>
#include <string_view>

#include "evidence/refusal.h"

namespace verifier {
namespace {

using evidence::Reason;
using evidence::Refusal;

/// Else evidence of a machine of one project would be turned into tokens through another's challenge.
void expect_project(const evidence::InstanceIdentity& identity, const std::string& project) {
  if (project == identity.project_id || project == std::to_string(identity.project_number)) return;
  throw Refusal(Reason::kProjectMismatch,
                "the machine belongs to project " + identity.project_id + ", not to " + project);
}

/// Of a zone, as Google Cloud names them: region-letter.
std::string_view region_of(std::string_view zone) { return zone.substr(0, zone.rfind('-')); }

/// Locations that are configured are promises of where machines run, so a challenge of one is for its machines.
void expect_region(const evidence::InstanceIdentity& identity, const std::string& location) {
  if (location == region_of(identity.zone)) return;
  throw Refusal(Reason::kLocationMismatch, "the machine is in zone " + identity.zone + ", not in location " + location);
}

void expect_image_in_use(const Knowledge& knowledge, const Appraisal& appraisal) {
  if (const ReferenceValue* retired = knowledge.reference_values.find_retired(appraisal.machine)) {
    throw Refusal(Reason::kImageDeprecated, "the machine runs image \"" + retired->name + "\", which is deprecated");
  }
}

void examine_challenge(Examination& examination, const Config& config, const Appraisal& appraisal,
                       const ResourcePath* resource) {
  if (resource == nullptr) {
    constexpr auto kUnknown = "the challenge is not known";
    examination.leave_out(Check::kProject, kUnknown);
    examination.leave_out(Check::kLocation, kUnknown);
    return;
  }
  examination.make(Check::kProject, [&] { expect_project(appraisal.identity, resource->project); });
  if (config.locations.empty()) {
    examination.leave_out(Check::kLocation, "every location is served");
  } else {
    examination.make(Check::kLocation, [&] { expect_region(appraisal.identity, resource->location.value()); });
  }
}

}  // namespace

void examine_admission(Examination& examination, const Knowledge& knowledge, const Appraisal& appraisal,
                       const ResourcePath* resource) {
  const Config& config = knowledge.config;
  examine_challenge(examination, config, appraisal, resource);
  examination.make(Check::kDenyList, [&] { knowledge.deny_list.check(appraisal); });
  if (config.require_secure_boot) {
    examination.make(Check::kSecureBoot, [&] {
      if (!appraisal.secure_boot) {
        throw Refusal(Reason::kSecureBootOff, "the machine was started without Secure Boot");
      }
    });
  } else {
    examination.leave_out(Check::kSecureBoot, "require_secure_boot is not set");
  }
  if (config.on_deprecated == OnDeprecated::kRefuse && appraisal.launch) {
    examination.make(Check::kImageInUse, [&] { expect_image_in_use(knowledge, appraisal); });
  } else {
    examination.leave_out(Check::kImageInUse, "on_deprecated is not \"refuse\"");
  }
}

}  // namespace verifier
