// The real Zigbee2MQTT, its radio replaced: a line {"nwk":…,"cluster":…,"zcl":"hex"} on stdin is a frame off the air,
// a line {"sent":…} on stdout is a command that it would send. Everything on MQTT is Zigbee2MQTT's own.
// usage: node peer.js MODULES_FOLDER DATA_FOLDER BROKER_URL DEVICES_JSON
'use strict';
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const [modules, data, broker, devicesJson] = process.argv.slice(2);
const devices = JSON.parse(devicesJson);
const COORDINATOR = '0x00124b00120144ae';
process.env.ZIGBEE2MQTT_DATA = data;
fs.mkdirSync(data, {recursive: true});

const say = (message) => process.stdout.write(JSON.stringify(message) + '\n');

const endpoint = (devId, clusters) => ({
    profId: 260, epId: 1, devId, inClusterList: clusters, outClusterList: [],
    clusters: {}, binds: [], configuredReportings: [], meta: {},
});
const rows = [
    {id: 1, type: 'Coordinator', ieeeAddr: COORDINATOR, nwkAddr: 0, manufId: 0, epList: [1],
        endpoints: {1: endpoint(5, [0])}, interviewCompleted: true, interviewState: 'SUCCESSFUL', meta: {}},
    ...devices.map((device, index) => ({
        id: index + 2, type: 'EndDevice', ieeeAddr: device.ieee, nwkAddr: device.nwk, manufId: 0,
        manufName: device.manufacturer, modelId: device.model, powerSource: 'Battery', epList: [1],
        endpoints: {1: endpoint(10, device.clusters)}, appVersion: 1, stackVersion: 1, hwVersion: 1,
        dateCode: '20240101', swBuildId: '1', zclVersion: 3, interviewCompleted: true,
        interviewState: 'SUCCESSFUL', meta: {configured: 1}, lastSeen: Date.now(),
    })),
];
fs.writeFileSync(path.join(data, 'database.db'), rows.map((row) => JSON.stringify(row)).join('\n'));
fs.writeFileSync(path.join(data, 'configuration.yaml'), JSON.stringify({
    version: 5,
    mqtt: {base_topic: 'zigbee2mqtt', server: broker},
    serial: {port: '/dev/null', adapter: 'ember'},
    frontend: {enabled: false},
    homeassistant: {enabled: true},
    availability: {enabled: true},
    advanced: {
        log_level: 'error', log_output: ['console'], pan_id: 6754, channel: 11, last_seen: 'ISO_8601',
        ext_pan_id: [221, 221, 221, 221, 221, 221, 221, 221],
        network_key: [1, 3, 5, 7, 9, 11, 13, 15, 0, 2, 4, 6, 8, 10, 12, 13],
    },
    devices: Object.fromEntries(devices.map((device) => [device.ieee, {friendly_name: device.name}])),
}));

const inside = (name) => require(require.resolve(name, {paths: [modules]}));
const herdsman = path.dirname(require.resolve('zigbee-herdsman', {paths: [modules]}));
const {Adapter} = require(path.join(herdsman, 'adapter/adapter.js'));
const {Zcl} = inside('zigbee-herdsman');

class TextRadio extends Adapter {
    async start() { return 'resumed'; }
    async stop() {}
    async reset() {}
    async getCoordinatorIEEE() { return COORDINATOR; }
    async getCoordinatorVersion() { return {type: 'text', meta: {revision: 1}}; }
    async supportsBackup() { return false; }
    async getNetworkParameters() {
        return {panID: 6754, extendedPanID: '0xdddddddddddddddd', channel: 11, nwkUpdateID: 0};
    }
    async addInstallCode() {}
    async permitJoin() {}
    async sendZdo() { throw new Error('text radio: no ZDO'); }
    async sendZclFrameToGroup() {}
    async sendZclFrameToAll() {}
    waitFor() { return {promise: new Promise(() => {}), cancel() {}}; }

    packet(nwk, clusterID, buffer) {
        return {
            clusterID, header: Zcl.Header.fromBuffer(buffer), address: nwk, data: buffer, endpoint: 1,
            linkquality: 115, groupID: 0, wasBroadcast: false, destinationEndpoint: 1,
        };
    }

    hear(nwk, cluster, zcl) { this.emit('zclPayload', this.packet(nwk, cluster, Buffer.from(zcl, 'hex'))); }

    async sendZclFrameToEndpoint(ieee, nwk, number, frame) {
        say({sent: frame.command.name, cluster: frame.cluster.name, to: ieee});
        const sequence = frame.header.transactionSequenceNumber;
        if (['lockDoor', 'unlockDoor'].includes(frame.command.name)) {
            const state = frame.command.name === 'lockDoor' ? '01' : '02';
            setTimeout(() => this.hear(nwk, 257, `180a0a000030${state}`), 100);
            return this.packet(nwk, 257, Zcl.Frame.create(
                Zcl.FrameType.SPECIFIC, Zcl.Direction.SERVER_TO_CLIENT, true, undefined, sequence,
                `${frame.command.name}Rsp`, frame.cluster.ID, {status: 0}, {}).toBuffer());
        }
        throw new Error('text radio: no answer');
    }
}

let radio;
const factory = async (...args) => (radio = new TextRadio(...args));
require(path.join(herdsman, 'adapter/adapter.js')).Adapter.create = factory;
require(path.join(herdsman, 'adapter')).Adapter.create = factory;

const z2m = path.dirname(require.resolve('zigbee2mqtt/package.json', {paths: [modules]}));
const {Controller} = require(path.join(z2m, 'dist/controller.js'));
(async () => {
    require(path.join(z2m, 'dist/util/settings.js')).reRead();
    const controller = new Controller(async () => {}, async (code) => process.exit(code));
    await controller.start();
    say({ready: true});
    readline.createInterface({input: process.stdin})
        .on('line', (line) => { const heard = JSON.parse(line); radio.hear(heard.nwk, heard.cluster, heard.zcl); })
        .on('close', async () => { await controller.stop(); process.exit(0); });
})().catch((error) => { console.error(error); process.exit(1); });
