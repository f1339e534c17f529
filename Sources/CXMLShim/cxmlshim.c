#include "cxmlshim.h"
