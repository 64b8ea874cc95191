import type { Messages } from "../zh-CN";
import alert from "./alert";
import alerts from "./alerts";
import audit from "./audit";
import authorities from "./authorities";
import common from "./common";
import devices from "./devices";
import enter from "./enter";
import erase from "./erase";
import home from "./home";
import overview from "./overview";
import parameters from "./parameters";
import policies from "./policies";
import registry from "./registry";
import report from "./report";
import requests from "./requests";
import settings from "./settings";
import timeline from "./timeline";
import tokens from "./tokens";
import units from "./units";
import users from "./users";

const en: Messages = {
  ...common,
  alert,
  alerts,
  audit,
  authorities,
  devices,
  enter,
  erase,
  home,
  overview,
  parameters,
  policies,
  registry,
  report,
  requests,
  settings,
  timeline,
  tokens,
  units,
  users,
};

export default en;
