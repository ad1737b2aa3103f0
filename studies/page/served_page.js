// The page as a server serves it.

import { served } from "./served.js";
import { start } from "./view.js";

start(served());
