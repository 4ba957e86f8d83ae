// For statements with all of limn at hand.
#pragma once

#include <cstdio>

#include "limn/limn.hpp"

using namespace limn;
