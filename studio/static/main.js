/** Start of the page: defines every element and opens the project that the URL names. */

import "./bar.js";
import "./compare.js";
import "./export.js";
import "./help.js";
import "./history.js";
import "./home.js";
import "./memory.js";
import "./player.js";
import "./queue.js";
import "./reads.js";
import "./shot.js";
import "./storyboard.js";
import "./takes.js";
import "./timeline.js";
import { listen } from "./commands.js";
import { followUrl } from "./route.js";
import { store } from "./store.js";

listen();
followUrl();
store.readEngine();
// For tests and for the curious: what the page knows, readable from the browser's console.
window.mnemoreel = store;
