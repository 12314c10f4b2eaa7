import { greet } from "shared";

document.body.textContent = greet("web");
