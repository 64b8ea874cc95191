import { createRouter, createWebHistory } from "vue-router";

import { may, session } from "./session";

declare module "vue-router" {
  interface RouteMeta {
    /** The right that the screen needs; the hub asks again. */
    right?: string;
    isPublic?: boolean;
    isBare?: boolean;
  }
}

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: "/", redirect: "/alerts" },
    { path: "/enter", component: () => import("./views/EnterView.vue"), meta: { isPublic: true, isBare: true } },
    { path: "/home", component: () => import("./views/HomeView.vue"), meta: { isPublic: true, isBare: true } },
    { path: "/alerts", component: () => import("./views/AlertsView.vue"), meta: { right: "alerts.see" } },
    {
      path: "/alerts/:id(\\d+)",
      component: () => import("./views/AlertView.vue"),
      props: (route) => ({ id: Number(route.params["id"]) }),
      meta: { right: "alerts.see" },
    },
    { path: "/units", component: () => import("./views/UnitsView.vue"), meta: { right: "units.see" } },
    {
      path: "/units/:code",
      component: () => import("./views/UnitView.vue"),
      props: (route) => ({ code: String(route.params["code"]) }),
      meta: { right: "units.see" },
    },
    {
      path: "/registry",
      component: () => import("./views/registry/RegistryView.vue"),
      redirect: "/registry/import",
      meta: { right: "registry.keep" },
      children: [
        { path: "import", component: () => import("./views/registry/ImportView.vue") },
        { path: "tenancy", component: () => import("./views/registry/TenancyView.vue") },
        { path: "export", component: () => import("./views/registry/ExportView.vue"), meta: { right: "registry.export" } },
        { path: "authorities", component: () => import("./views/registry/AuthoritiesView.vue") },
        { path: "requests", component: () => import("./views/registry/RequestsView.vue") },
      ],
    },
    { path: "/overview", component: () => import("./views/OverviewView.vue"), meta: { right: "reports.see" } },
    { path: "/wall", component: () => import("./views/WallView.vue"), meta: { right: "reports.see", isBare: true } },
    { path: "/report", component: () => import("./views/ReportView.vue"), meta: { right: "reports.see" } },
    { path: "/policies", component: () => import("./views/PoliciesView.vue"), meta: { right: "policies.see" } },
    { path: "/policies/try", component: () => import("./views/WhatIfView.vue"), meta: { right: "policies.set" } },
    { path: "/devices", component: () => import("./views/DevicesView.vue"), meta: { right: "gateways.see" } },
    { path: "/audit", component: () => import("./views/AuditView.vue"), meta: { right: "audit.see" } },
    { path: "/users", component: () => import("./views/UsersView.vue"), meta: { right: "users.run" } },
    {
      path: "/settings",
      component: () => import("./views/settings/SettingsView.vue"),
      redirect: () => (may("alerts.see") ? "/settings/duty" : "/settings/retention"),
      children: [
        { path: "duty", component: () => import("./views/settings/DutyView.vue"), meta: { right: "alerts.see" } },
        { path: "channels", component: () => import("./views/settings/ChannelsView.vue"), meta: { right: "notify.run" } },
        { path: "me", component: () => import("./views/settings/MeView.vue"), meta: { right: "alerts.see" } },
        { path: "retention", component: () => import("./views/settings/RetentionView.vue"), meta: { right: "policies.see" } },
      ],
    },
    { path: "/:rest(.*)*", component: () => import("./views/NotFoundView.vue"), meta: { isPublic: true } },
  ],
});

router.beforeEach((to) => {
  if (to.meta.isPublic) return true;
  if (!session.who) return { path: "/enter", query: to.path === "/" ? {} : { to: to.fullPath } };
  if (to.meta.right && !may(to.meta.right)) return { path: "/none", replace: true };
  return true;
});
