#pragma once

#include <optional>
#include <vector>

#include "base/bytes.h"
#include "measure/boot_log.h"
#include "measure/hash.h"

namespace verifier {

/// What the firmware's boot manager did: PCR 4, and the end of it in PCR 5, of a log that replays to what was quoted,
/// in one bank. Told by digests alone; neither types nor texts of events count.
struct BootManager {
  /// What was measured there beside separators and the manager's own texts: each EFI application before it ran, and
  /// whatever those that ran have measured themselves. In their order.
  std::vector<base::Bytes> applications;

  /// The Authenticode digest of the EFI application that the firmware started from a boot option, when it was the first
  /// one and never gave control back: the boot loader, or the unified kernel image.
  ///
  /// In PCR 4 the firmware measures that it calls a boot option, a separator (EDK2 in this order, others the other way
  /// round), and each application before it runs. No program but the firmware has run before the first of them, so the
  /// digest behind those two is a measurement by the firmware, whatever type the log gives it; and the firmware
  /// measures nothing there but applications and fixed texts, so nobody can have it measure other bytes with that
  /// digest. What follows is no part of the proof, as whoever runs writes what he likes. But if the application ended,
  /// or did not start, the firmware would try the next boot option, and measure first that the application returned and
  /// that it calls another: hence no digest when either text stands behind it, or anything ahead of the call.
  ///
  /// A boot option of which there is nothing to start (an empty drive, a network that does not answer) leaves the two
  /// texts and no application. Such attempts are passed over ahead of the first application: still no program but the
  /// firmware has run. An attempt that measured an application is not: that application may have run.
  ///
  /// Nor is there one before the firmware's services have ended, which it measures into PCR 5: until then it may still
  /// go on to the next option.
  ///
  /// Drivers that the firmware loads are measured into PCR 2. They run first: the digest tells what the machine does
  /// only beside PCR 2.
  std::optional<base::Bytes> only_application;

  /// What PCR 4 would hold had the firmware not tried the options that are passed over: that of the log when there is
  /// no `only_application`, or no such attempt.
  base::Bytes pcr;
};

/// For a log whose events all have a digest of that bank.
BootManager extract_boot_manager(const measure::BootLog& log, measure::HashAlgorithm bank);

}  // namespace verifier
