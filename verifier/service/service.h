#pragma once

#include <cstddef>
#include <filesystem>

namespace verifier {

struct ServeOptions {
  std::filesystem::path config;
  std::size_t threads = 1;  ///< that appraise, beside the one that serves
};

/// Serves until SIGTERM or SIGINT. SIGHUP reads configuration and all files that it names anew and takes them as one
/// whole, from the next request on; when anything is wrong with them, an error is logged and nothing changes. Where it
/// listens and its state directory stay what they were. Throws Error when it can't be started.
void serve(const ServeOptions& options);

}  // namespace verifier
