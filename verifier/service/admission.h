#pragma once

#include "verifier/appraisal/appraisal.h"
#include "verifier/appraisal/examination.h"
#include "verifier/service/knowledge.h"
#include "verifier/service/resource_name.h"

namespace verifier {

/// Whether a machine whose evidence holds may have a token of this service at all: its project and location are those
/// of the challenge, it is not on the deny list, Secure Boot is on where that is demanded, and its image is not one
/// that is refused. `resource` is null where nobody knows which challenge the evidence was made for.
void examine_admission(Examination& examination, const Knowledge& knowledge, const Appraisal& appraisal,
                       const ResourcePath* resource);

}  // namespace verifier
