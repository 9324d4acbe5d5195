#pragma once

#include <span>
#include <vector>

#include "oci/digest.h"

namespace oci {

/// The ChainID of each layer, lowest first (OCI image spec, config.md, "Layer ChainID"): it names the file system that
/// results from that layer on top of all below it. The last one names the image's whole root file system.
std::vector<Digest> chain_ids(std::span<const Digest> diff_ids);

}  // namespace oci
