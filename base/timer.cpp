#include "base/timer.h"

#include <boost/asio/execution/context.hpp>

namespace base {

boost::asio::execution_context::id TimeService::id;

TimeService& TimeService::of(const boost::asio::any_io_executor& executor) {
  return boost::asio::use_service<TimeService>(boost::asio::query(executor, boost::asio::execution::context));
}

}  // namespace base
