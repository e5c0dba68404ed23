/** Start of the page: defines every element and opens the project that the URL names. */

import "./ab.js";
import "./again.js";
import "./bar.js";
import "./budget.js";
import "./compare.js";
import "./export.js";
import "./help.js";
import "./history.js";
import "./home.js";
import "./memory.js";
import "./menu.js";
import "./pins.js";
import "./player.js";
import "./presets.js";
import "./queue.js";
import "./reads.js";
import "./shot.js";
import "./stale.js";
import "./storyboard.js";
import "./systems.js";
import "./takes.js";
import "./timeline.js";
import "./welcome.js";
import { listen } from "./commands.js";
import "./notes.js";
import { watchJobs } from "./notify.js";
import { watchFidelity } from "./fidelity.js";
import { acceptFootage } from "./footage.js";
import { followUrl } from "./route.js";
import { settings } from "./settings.js";
import { store } from "./store.js";
import { followTheme } from "./theme.js";

listen();
watchJobs();
watchFidelity();
acceptFootage(document.documentElement);
settings.load();
followTheme();
followUrl();
store.readEngine();
// For tests and for the curious: what the page knows, readable from the browser's console.
window.mnemoreel = store;
