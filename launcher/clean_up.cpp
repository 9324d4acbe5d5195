#include "launcher/clean_up.h"

#include <exception>
#include <utility>

#include "base/log.h"

namespace launcher {

void CleanUp::add(std::string what, Undo undo) { steps_.push_back({std::move(what), std::move(undo)}); }

base::Awaitable<void> CleanUp::run() {
  while (!steps_.empty()) {
    const Step step = std::move(steps_.back());
    steps_.pop_back();
    try {
      co_await step.undo();
    } catch (const std::exception& error) {
      base::log::error(step.what + " failed", {{"error", error.what()}});
    }
  }
}

}  // namespace launcher
