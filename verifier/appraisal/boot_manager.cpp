#include "verifier/appraisal/boot_manager.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "verifier/appraisal/secure_boot.h"

namespace verifier {
namespace {

using base::Bytes;
using measure::BootEvent;
using measure::Digest;
using measure::HashAlgorithm;

constexpr std::uint32_t kBootManagerPcr = 4;
constexpr std::uint32_t kBootConfigurationPcr = 5;
// EV_EFI_ACTION (firmware profile, section 10.4).
constexpr std::string_view kCallingApplication = "Calling EFI Application from Boot Option";
constexpr std::string_view kApplicationReturned = "Returning from EFI Application from Boot Option";
constexpr std::string_view kExitInvocation = "Exit Boot Services Invocation";

bool have_services_ended(const measure::BootLog& log, HashAlgorithm bank) {
  const Digest exit = Digest::of(bank, base::view_of(kExitInvocation));
  return std::ranges::any_of(log.events, [&](const BootEvent& event) {
    return event.pcr == kBootConfigurationPcr && event.type != measure::boot_event::kNoAction &&
           event.digests.at(bank) == exit;
  });
}

/// Reads PCR 4 event by event.
class BootManagerReader {
 public:
  explicit BootManagerReader(HashAlgorithm bank)
      : bank_(bank),
        calling_(Digest::of(bank, base::view_of(kCallingApplication))),
        returned_(Digest::of(bank, base::view_of(kApplicationReturned))),
        as_logged_(Digest::zero(bank)),
        without_attempts_(as_logged_) {}

  void read(const BootEvent& event) {
    const Digest& digest = event.digests.at(bank_);
    as_logged_ = as_logged_.extended(digest);
    if (digest == returned_) {
      expect(is_called_ && !has_application());
      is_called_ = false;
      has_returned_ = true;
      return;
    }
    if (digest == calling_) {
      expect(!is_called_ && !has_application());
      is_called_ = true;
      if (std::exchange(has_returned_, false)) return;  // the two texts of an attempt that is passed over
    } else if (has_separator_digest(event, bank_)) {
      is_separated_ = true;
    } else {
      if (!has_application()) expect(is_called_ && is_separated_);
      applications_.push_back(digest.to_bytes());
    }
    without_attempts_ = without_attempts_.extended(digest);
  }

  BootManager finish(bool has_ended) && {
    BootManager manager;
    const bool is_sound = is_sound_ && has_application() && has_ended;
    if (is_sound) manager.only_application = applications_.front();
    manager.pcr = (is_sound ? without_attempts_ : as_logged_).to_bytes();
    manager.applications = std::move(applications_);
    return manager;
  }

 private:
  bool has_application() const { return !applications_.empty(); }
  void expect(bool holds) { is_sound_ = is_sound_ && holds; }

  HashAlgorithm bank_;
  Digest calling_;
  Digest returned_;
  Digest as_logged_;
  Digest without_attempts_;
  bool is_called_ = false;
  bool has_returned_ = false;
  bool is_separated_ = false;
  bool is_sound_ = true;
  std::vector<Bytes> applications_;
};

}  // namespace

BootManager extract_boot_manager(const measure::BootLog& log, HashAlgorithm bank) {
  BootManagerReader reader(bank);
  for (const BootEvent& event : log.events) {
    if (event.pcr == kBootManagerPcr && event.type != measure::boot_event::kNoAction) reader.read(event);
  }
  return std::move(reader).finish(have_services_ended(log, bank));
}

}  // namespace verifier
