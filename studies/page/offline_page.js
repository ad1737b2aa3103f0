// The page as one file, which holds the study and its pictures.

import { offline } from "./offline.js";
import { start } from "./view.js";

const held = (id) => document.getElementById(id).textContent;

start(offline(JSON.parse(held("study")), (digest) => `data:image/png;base64,${held(`picture-${digest}`)}`));
