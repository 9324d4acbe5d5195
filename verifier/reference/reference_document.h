#pragma once

#include "base/json.h"
#include "verifier/reference/reference_value.h"

namespace verifier {

/// One entry of a file of reference values, as docs/verifier.md describes it. Throws InvalidInput that names the field.
///
/// An entry must tell one image from everything else, or it would vouch for machines that nobody has looked at. It
/// does by PCR 4, which holds what the firmware started. Without PCR 4 it takes what only that image measures (a
/// command line, the image's Authenticode digest, or PCR 8, 9 or 11), Secure Boot by known keys (one certificate, or
/// PCR 7), as otherwise any program can measure the same, and PCR 12: that holds the credentials and parameters that
/// a unified kernel image takes from its disk, which nobody signs. For that an entry with such an image's digest
/// takes PCR 12 in any case. PCRs count for this in the bank sha256 alone: whether firmware fills another can't be
/// seen, and what it leaves is the machine's to fill. A register of zeros holds nothing; only PCR 12 says something
/// by it.
ReferenceValue parse_reference_value(const base::JsonObject& json);

}  // namespace verifier
